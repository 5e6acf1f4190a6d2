// SPDX-License-Identifier: Apache-2.0
//
// The scale of a recurrence: if scales were carried through the recurrent product from step to step, worst cases would
// multiply and the scale would grow without bound, although the state forgets its errors. Therefore the input of that
// product is judged at each step like a new input of the size of its vector: 1 for y, the largest element for the
// gradient of the gates. The cell state keeps its full scale, which the forget gate, below 1, bounds.
#pragma once

#include <algorithm>

#include "reference/formulas/scaled.h"
#include "reference/lstm.h"

namespace attn::reference {

template <class Number>
struct Lstm {
  std::int64_t B, T, E, H, directions;
  std::vector<Number> x;              // [B, T, E]
  std::vector<Number> kernel;         // [directions, E, 4H]
  std::vector<Number> recurrent;      // [directions, H, 4H]
  std::vector<Number> bias;           // [directions, 4H]
  std::vector<std::int32_t> lengths;  // [B]; empty: every length is T
};

template <class Number>
struct LstmGradients {
  std::vector<Number> x, kernel, recurrent, bias;  // as in Lstm
};

// One item in one direction. Step s of n, the number of valid positions, reads position(s).
template <class Number>
struct LstmRun {
  std::int64_t item, direction, n;
  std::vector<Number> gates;   // [n, 4, H]: i, f, c~, o
  std::vector<Number> c;       // [n, H]
  std::vector<Number> tanh_c;  // [n, H]
  std::vector<Number> y;       // [n, H]

  std::int64_t position(std::int64_t s) const { return direction == 0 ? s : n - 1 - s; }
};

template <class Number>
LstmRun<Number> run_lstm(const Lstm<Number>& in, std::int64_t item, std::int64_t direction) {
  const std::int64_t H = in.H, n = valid_length(in.lengths, item, in.T);
  LstmRun<Number> run{
      item, direction, n, zeros<Number>(n * 4 * H), zeros<Number>(n * H), zeros<Number>(n * H), zeros<Number>(n * H)};
  const Number* kernel = in.kernel.data() + direction * in.E * 4 * H;
  const Number* recurrent = in.recurrent.data() + direction * H * 4 * H;
  for (std::int64_t s = 0; s < n; ++s) {
    const Number* x = in.x.data() + (item * in.T + run.position(s)) * in.E;
    Number* gates = run.gates.data() + s * 4 * H;
    for (std::int64_t g = 0; g < 4 * H; ++g) {
      Number z = in.bias[direction * 4 * H + g];
      for (std::int64_t e = 0; e < in.E; ++e) z += x[e] * kernel[e * 4 * H + g];
      if (s > 0)
        for (std::int64_t h = 0; h < H; ++h) z += rescaled(run.y[(s - 1) * H + h], 1) * recurrent[h * 4 * H + g];
      gates[g] = g / H == 2 ? tanh(z) : sigmoid(z);
    }
    for (std::int64_t h = 0; h < H; ++h) {
      Number& c = run.c[s * H + h];
      c = gates[h] * gates[2 * H + h];
      if (s > 0) c += gates[H + h] * run.c[(s - 1) * H + h];
      run.tanh_c[s * H + h] = tanh(c);
      run.y[s * H + h] = gates[3 * H + h] * run.tanh_c[s * H + h];
    }
  }
  return run;
}

// y [B, T, directions H], zero in padding.
template <class Number>
std::vector<Number> forward(const Lstm<Number>& in) {
  std::vector<Number> y = zeros<Number>(in.B * in.T * in.directions * in.H);
  for (std::int64_t item = 0; item < in.B; ++item)
    for (std::int64_t direction = 0; direction < in.directions; ++direction) {
      const LstmRun<Number> run = run_lstm(in, item, direction);
      for (std::int64_t s = 0; s < run.n; ++s)
        std::copy_n(run.y.begin() + s * in.H, in.H,
                    y.begin() + ((item * in.T + run.position(s)) * in.directions + direction) * in.H);
    }
  return y;
}

// d_z [4H], the gradient of the inputs of the gates at step s, from the gradients of y and c. On return d_c [H] is the
// gradient of the previous cell state.
template <class Number>
std::vector<Number> gates_backward(const LstmRun<Number>& run, std::int64_t s, std::int64_t H,
                                   const std::vector<Number>& d_y, std::vector<Number>& d_c) {
  const Number one(1);
  std::vector<Number> d_z = zeros<Number>(4 * H);
  for (std::int64_t h = 0; h < H; ++h) {
    const Number* gates = run.gates.data() + s * 4 * H + h;
    const Number i = gates[0], f = gates[H], candidate = gates[2 * H], o = gates[3 * H], t = run.tanh_c[s * H + h];
    d_c[h] += d_y[h] * o * (one - t * t);
    d_z[h] = d_c[h] * candidate * i * (one - i);
    if (s > 0) d_z[H + h] = d_c[h] * run.c[(s - 1) * H + h] * f * (one - f);
    d_z[2 * H + h] = d_c[h] * i * (one - candidate * candidate);
    d_z[3 * H + h] = d_y[h] * t * o * (one - o);
    d_c[h] = d_c[h] * f;
  }
  return d_z;
}

template <class Number>
void run_backward(const Lstm<Number>& in, const LstmRun<Number>& run, const std::vector<Number>& d_out,
                  LstmGradients<Number>& d) {
  const std::int64_t H = in.H, first_kernel = run.direction * in.E * 4 * H, first_recurrent = run.direction * H * 4 * H;
  std::vector<Number> d_recurrent_y = zeros<Number>(H), d_c = zeros<Number>(H);
  for (std::int64_t s = run.n - 1; s >= 0; --s) {
    const std::int64_t row = run.item * in.T + run.position(s);
    std::vector<Number> d_y = d_recurrent_y;
    for (std::int64_t h = 0; h < H; ++h) d_y[h] += d_out[(row * in.directions + run.direction) * H + h];
    const std::vector<Number> d_z = gates_backward(run, s, H, d_y, d_c);

    double largest = 0;
    for (const Number& gate : d_z) largest = std::max<double>(largest, std::abs(plain(gate)));
    d_recurrent_y = zeros<Number>(H);
    for (std::int64_t g = 0; g < 4 * H; ++g) {
      d.bias[run.direction * 4 * H + g] += d_z[g];
      for (std::int64_t e = 0; e < in.E; ++e) {
        d.x[row * in.E + e] += d_z[g] * in.kernel[first_kernel + e * 4 * H + g];
        d.kernel[first_kernel + e * 4 * H + g] += d_z[g] * in.x[row * in.E + e];
      }
      for (std::int64_t h = 0; s > 0 && h < H; ++h) {
        d_recurrent_y[h] += rescaled(d_z[g], largest) * in.recurrent[first_recurrent + h * 4 * H + g];
        d.recurrent[first_recurrent + h * 4 * H + g] += d_z[g] * run.y[(s - 1) * H + h];
      }
    }
  }
}

// d_y [B, T, directions H]; padding is not read.
template <class Number>
LstmGradients<Number> backward(const Lstm<Number>& in, const std::vector<Number>& d_y) {
  LstmGradients<Number> d{zeros<Number>(in.B * in.T * in.E), zeros<Number>(in.directions * in.E * 4 * in.H),
                          zeros<Number>(in.directions * in.H * 4 * in.H), zeros<Number>(in.directions * 4 * in.H)};
  for (std::int64_t item = 0; item < in.B; ++item)
    for (std::int64_t direction = 0; direction < in.directions; ++direction)
      run_backward(in, run_lstm(in, item, direction), d_y, d);
  return d;
}

template <class Number>
Lstm<Number> numbers(const LstmInput& in) {
  return {in.B,
          in.T,
          in.E,
          in.H,
          in.directions,
          numbers<Number>(in.x),
          numbers<Number>(in.kernel),
          numbers<Number>(in.recurrent),
          numbers<Number>(in.bias),
          in.lengths};
}

}  // namespace attn::reference

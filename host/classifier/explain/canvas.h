// SPDX-License-Identifier: Apache-2.0
//
// Drawing with cairo and Pango, reduced to a few calls. Coordinates are in pixels from the top left.
#pragma once

#include <cairo.h>

#include <memory>
#include <string>
#include <vector>

#include "classifier/explain/shade.h"

namespace attn::classifier {

struct Highlight {
  std::size_t begin, end;  // byte range of the text
  Rgb colour;
};

struct TextStyle {
  const char* font;  // a Pango font description, such as "Sans Bold 20px"
  Rgb ink;
  double line_spacing = 1.0;
  bool right_aligned = false;
};

struct TextSize {
  double width, height;
};

// A deleter that calls a C library's release function.
template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

class Canvas {
 public:
  // `scale` is the number of image pixels per pixel of the drawing calls.
  Canvas(int width, int height, double scale);

  void box(double x, double y, double width, double height, double radius, Rgb colour);
  void outline(double x, double y, double width, double height, double radius, Rgb colour);
  void gradient(double x, double y, double width, double height, Rgb from, Rgb to);

  // Draws text in lines of at most `width` on top of its highlights, with a dotted line in its colour below each
  // `dotted` range. Returns the size.
  TextSize text(double x, double y, double width, const std::string& text, const TextStyle& style,
                const std::vector<Highlight>& highlights = {}, const std::vector<Highlight>& dotted = {});

  // The bytes of a PNG file with what was drawn.
  std::string png() const;

 private:
  void rounded(double x, double y, double width, double height, double radius);
  void set(Rgb colour);

  std::unique_ptr<cairo_surface_t, Release<cairo_surface_destroy>> surface_;
  std::unique_ptr<cairo_t, Release<cairo_destroy>> cairo_;
};

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
//
// What the picture is drawn with: cairo and Pango behind a few calls in pixels from the top left.
#pragma once

#include <cairo.h>

#include <memory>
#include <string>
#include <vector>

#include "classifier/explain/shade.h"

namespace attn::classifier {

struct Highlight {
  std::size_t begin, end;  // bytes of the text
  Rgb colour;
};

struct TextStyle {
  const char* font;  // as Pango reads it: "Sans Bold 20px"
  Rgb ink;
  double line_spacing = 1.0;
  bool right_aligned = false;
};

struct TextSize {
  double width, height;
};

// Deletes what a C library made, by the library's own function.
template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

class Canvas {
 public:
  // `scale`: dots of the picture per pixel of the drawing calls.
  Canvas(int width, int height, double scale);

  void box(double x, double y, double width, double height, double radius, Rgb colour);
  void outline(double x, double y, double width, double height, double radius, Rgb colour);
  void gradient(double x, double y, double width, double height, Rgb from, Rgb to);

  // Text broken into lines of at most `width`, over its highlights, with dotted lines below the `dotted` ranges (whose
  // colours those are).
  TextSize text(double x, double y, double width, const std::string& text, const TextStyle& style,
                const std::vector<Highlight>& highlights = {}, const std::vector<Highlight>& dotted = {});

  // The picture so far as a PNG file's bytes.
  std::string png() const;

 private:
  void rounded(double x, double y, double width, double height, double radius);
  void set(Rgb colour);

  std::unique_ptr<cairo_surface_t, Release<cairo_surface_destroy>> surface_;
  std::unique_ptr<cairo_t, Release<cairo_destroy>> cairo_;
};

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
#include "classifier/explain/canvas.h"

#include <pango/pangocairo.h>

#include <algorithm>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

void require(cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS) {
    throw Failure(ATTN_LIBRARY_ERROR,
                  std::string("picture: expected cairo to draw it, got ") + cairo_status_to_string(status));
  }
}

double pixels(int pango_units) { return static_cast<double>(pango_units) / PANGO_SCALE; }

// Calls body(left, baseline, width) for each part of a line that the bytes begin..end of the text occupy: one per line,
// more if the line mixes writing directions.
template <class Body>
void for_each_extent(PangoLayout* layout, const Highlight& range, Body&& body) {
  const std::unique_ptr<PangoLayoutIter, Release<pango_layout_iter_free>> at(pango_layout_get_iter(layout));
  const int begin = static_cast<int>(range.begin), end = static_cast<int>(range.end);
  do {
    PangoLayoutLine* line = pango_layout_iter_get_line_readonly(at.get());
    if (line->start_index + line->length <= begin || line->start_index >= end) continue;
    const double baseline = pixels(pango_layout_iter_get_baseline(at.get()));
    int* ranges = nullptr;
    int count = 0;
    pango_layout_line_get_x_ranges(line, std::max(begin, line->start_index),
                                   std::min(end, line->start_index + line->length), &ranges, &count);
    const std::unique_ptr<int, Release<g_free>> owner(ranges);
    for (int i = 0; i < count; ++i) {
      body(pixels(ranges[2 * i]), baseline, pixels(ranges[2 * i + 1] - ranges[2 * i]));
    }
  } while (pango_layout_iter_next_line(at.get()));
}

}  // namespace

Canvas::Canvas(int width, int height, double scale)
    : surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width * scale),
                                          static_cast<int>(height * scale))),
      cairo_(cairo_create(surface_.get())) {
  require(cairo_status(cairo_.get()));
  cairo_scale(cairo_.get(), scale, scale);
  set({255, 255, 255});
  cairo_paint(cairo_.get());
}

void Canvas::set(Rgb colour) {
  cairo_set_source_rgb(cairo_.get(), colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0);
}

void Canvas::rounded(double x, double y, double width, double height, double radius) {
  const double quarter = 1.5707963267948966;
  cairo_new_sub_path(cairo_.get());
  cairo_arc(cairo_.get(), x + width - radius, y + radius, radius, -quarter, 0);
  cairo_arc(cairo_.get(), x + width - radius, y + height - radius, radius, 0, quarter);
  cairo_arc(cairo_.get(), x + radius, y + height - radius, radius, quarter, 2 * quarter);
  cairo_arc(cairo_.get(), x + radius, y + radius, radius, 2 * quarter, 3 * quarter);
  cairo_close_path(cairo_.get());
}

void Canvas::box(double x, double y, double width, double height, double radius, Rgb colour) {
  set(colour);
  rounded(x, y, width, height, std::min(radius, width / 2));
  cairo_fill(cairo_.get());
}

void Canvas::outline(double x, double y, double width, double height, double radius, Rgb colour) {
  set(colour);
  rounded(x, y, width, height, radius);
  cairo_set_line_width(cairo_.get(), 1);
  cairo_stroke(cairo_.get());
}

void Canvas::gradient(double x, double y, double width, double height, Rgb from, Rgb to) {
  const std::unique_ptr<cairo_pattern_t, Release<cairo_pattern_destroy>> pattern(
      cairo_pattern_create_linear(x, 0, x + width, 0));
  cairo_pattern_add_color_stop_rgb(pattern.get(), 0, from.red / 255.0, from.green / 255.0, from.blue / 255.0);
  cairo_pattern_add_color_stop_rgb(pattern.get(), 1, to.red / 255.0, to.green / 255.0, to.blue / 255.0);
  cairo_set_source(cairo_.get(), pattern.get());
  rounded(x, y, width, height, 3);
  cairo_fill(cairo_.get());
}

TextSize Canvas::text(double x, double y, double width, const std::string& text, const TextStyle& style,
                      const std::vector<Highlight>& highlights, const std::vector<Highlight>& dotted) {
  const std::unique_ptr<PangoLayout, Release<g_object_unref>> layout(pango_cairo_create_layout(cairo_.get()));
  const std::unique_ptr<PangoFontDescription, Release<pango_font_description_free>> font(
      pango_font_description_from_string(style.font));
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
  pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
  pango_layout_set_alignment(layout.get(), style.right_aligned ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
  if (style.line_spacing != 1.0) pango_layout_set_line_spacing(layout.get(), static_cast<float>(style.line_spacing));
  // A word that is too long for a line is broken without a hyphen, which is not part of it.
  const std::unique_ptr<PangoAttrList, Release<pango_attr_list_unref>> attributes(pango_attr_list_new());
  pango_attr_list_insert(attributes.get(), pango_attr_insert_hyphens_new(FALSE));
  pango_layout_set_attributes(layout.get(), attributes.get());
  pango_layout_set_text(layout.get(), text.data(), static_cast<int>(text.size()));

  const double letter = pango_font_description_get_size(font.get()) / static_cast<double>(PANGO_SCALE);
  for (const Highlight& highlight : highlights) {
    for_each_extent(layout.get(), highlight, [&](double left, double baseline, double wide) {
      box(x + left - 2, y + baseline - 1.02 * letter, wide + 4, 1.36 * letter, 4, highlight.colour);
    });
  }
  set(style.ink);
  cairo_move_to(cairo_.get(), x, y);
  pango_cairo_show_layout(cairo_.get(), layout.get());
  cairo_set_line_width(cairo_.get(), 1.5);
  const double dots[] = {1.5, 2};
  for (const Highlight& range : dotted) {
    set(range.colour);
    for_each_extent(layout.get(), range, [&](double left, double baseline, double wide) {
      cairo_move_to(cairo_.get(), x + left, y + baseline + 0.24 * letter);
      cairo_rel_line_to(cairo_.get(), wide, 0);
      cairo_set_dash(cairo_.get(), dots, 2, 0);
      cairo_stroke(cairo_.get());
      cairo_set_dash(cairo_.get(), nullptr, 0, 0);
    });
  }

  PangoRectangle extents;
  pango_layout_get_extents(layout.get(), nullptr, &extents);
  return {pixels(extents.width), pixels(extents.height)};
}

std::string Canvas::png() const {
  require(cairo_status(cairo_.get()));
  std::string bytes;
  const auto append = [](void* target, const unsigned char* data, unsigned int count) {
    static_cast<std::string*>(target)->append(reinterpret_cast<const char*>(data), count);
    return CAIRO_STATUS_SUCCESS;
  };
  require(cairo_surface_write_to_png_stream(surface_.get(), append, &bytes));
  return bytes;
}

}  // namespace attn::classifier

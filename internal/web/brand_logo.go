package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A picture is an asset that the operator brought.
type picture struct {
	asset
	extension string
	ratio     float64 // of width to height
}

const maxBrandBytes = 256 << 10

// logoOf checks the operator's logo by its content, as logos of apps are: what is no
// picture is found at the start, not by the first visitor.
func logoOf(body []byte) (picture, error) {
	if len(body) > maxBrandBytes {
		return picture{}, fmt.Errorf("has %d bytes, %d are possible; make the picture smaller", len(body), maxBrandBytes)
	}
	size, kind, err := image.DecodeConfig(bytes.NewReader(body))
	if err != nil {
		ratio, err := drawing(body)
		if err != nil {
			return picture{}, fmt.Errorf("is neither a PNG, a JPEG, a GIF nor an SVG that is only a drawing: %w", err)
		}
		return picture{asset{body, mediaTypes[".svg"]}, ".svg", ratio}, nil
	}
	if size.Width > maxLogoPixels || size.Height > maxLogoPixels || size.Width == 0 || size.Height == 0 {
		return picture{}, fmt.Errorf("has %d x %d pixels, %d x %d are possible; make the picture smaller", size.Width, size.Height, maxLogoPixels, maxLogoPixels)
	}
	return picture{asset{body, "image/" + kind}, "." + kind, float64(size.Width) / float64(size.Height)}, nil
}

const svgSpace = "http://www.w3.org/2000/svg"

// drawn are the elements of SVG that only draw. What runs, animates, embeds or links is none of them.
var drawn = []string{
	"svg", "g", "defs", "symbol", "use", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
	"linearGradient", "radialGradient", "stop", "clipPath", "mask", "pattern",
}

// drawing accepts an SVG that does nothing but draw, and returns its ratio of width to height:
// no scripts, no event handlers, nothing from elsewhere, no entities, no foreign elements.
func drawing(body []byte) (ratio float64, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && ratio > 0 {
			return ratio, nil
		}
		if err != nil {
			return 0, fmt.Errorf("it is no XML: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return 0, errors.New("it has a document type; save it without one")
		case xml.ProcInst:
			if t.Target != "xml" {
				return 0, fmt.Errorf("it has an instruction <?%s ?>; save it without", t.Target)
			}
		case xml.StartElement:
			if t.Name.Space != svgSpace || !slices.Contains(drawn, t.Name.Local) {
				return 0, fmt.Errorf("it has an element <%s>; save it as plain SVG, with shapes only", t.Name.Local)
			}
			if err := checkAttributes(t.Attr); err != nil {
				return 0, err
			}
			if depth++; depth == 1 {
				ratio = ratioOf(t)
			}
		case xml.EndElement:
			depth--
		}
	}
}

func checkAttributes(attributes []xml.Attr) error {
	for _, a := range attributes {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(strings.Join(strings.Fields(a.Value), ""))
		switch {
		case name == "xmlns" || a.Name.Space == "xmlns":
		case strings.HasPrefix(name, "on"), name == "href" && !strings.HasPrefix(value, "#"),
			strings.Count(value, "url(") != strings.Count(value, "url(#"), strings.Contains(value, "//"), strings.Contains(value, `\`):
			return fmt.Errorf("it has an attribute %s=%q, which runs or loads something; save it without", a.Name.Local, oneLine(a.Value, maxName))
		}
	}
	return nil
}

// ratioOf reads the view box; without a usable one it is a square.
func ratioOf(svg xml.StartElement) float64 {
	for _, a := range svg.Attr {
		if a.Name.Local != "viewBox" {
			continue
		}
		if box := strings.FieldsFunc(a.Value, func(r rune) bool { return r == ' ' || r == ',' }); len(box) == 4 {
			width, _ := strconv.ParseFloat(box[2], 64)
			height, _ := strconv.ParseFloat(box[3], 64)
			if width > 0 && height > 0 {
				return width / height
			}
		}
	}
	return 1
}

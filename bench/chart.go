package main

import (
	"fmt"
	"html"
	"strings"

	"github.com/signet-id/signet/bench/reader"
)

// Measures of the chart, in its own units.
const (
	chartWidth  = 720
	labelWidth  = 250
	barWidth    = 370 // of the longest bar of an algorithm
	rowHeight   = 22
	titleHeight = 34
)

// style draws on whatever is behind the chart, light or dark.
const style = `<style>
text{font:13px system-ui,sans-serif;fill:#1f2328}
.title{font-weight:600}
.ours{fill:#0969da}.bare{fill:#9a6700}.other{fill:#8c959f}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ours{fill:#4493f8}.bare{fill:#d29922}.other{fill:#6e7681}}
</style>
`

// chart draws the processor time of each check as a bar. Each algorithm has its own
// scale.
func (r report) chart() string {
	var body strings.Builder
	y := 0
	for _, a := range r.algorithms {
		longest := 0.0
		for _, s := range a.series {
			longest = max(longest, s.CPU())
		}
		y += titleHeight
		fmt.Fprintf(&body, `<text class="title" x="0" y="%d">%s: microseconds of processor time for one token</text>`+"\n", y-10, html.EscapeString(a.name))
		for _, s := range a.series {
			width := max(1, barWidth*s.CPU()/longest)
			fmt.Fprintf(&body, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWidth-8, y+15, html.EscapeString(s.Name))
			fmt.Fprintf(&body, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class(s.Name), labelWidth, y+3, width, rowHeight-6)
			fmt.Fprintf(&body, `<text x="%.1f" y="%d">%s</text>`+"\n", labelWidth+width+6, y+15, micros(s.CPU()))
			y += rowHeight
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Processor time of checking one token, by library and algorithm">`+"\n",
		chartWidth, y+10) + style + body.String() + "</svg>\n"
}

func class(name string) string {
	switch {
	case strings.HasPrefix(name, reader.Ours.Name):
		return "ours"
	case name == reader.Bare.Name:
		return "bare"
	}
	return "other"
}

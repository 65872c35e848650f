// Figures draws the figures of docs/guide/gemm.md. From the repository's root:
//
//	go run ./docs/guide/figures
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	for name, draw := range map[string]func(*drawing){"gemm-blocks.svg": blocks, "gemm-tile.svg": tile} {
		var d drawing
		draw(&d)
		if err := os.WriteFile(filepath.Join("docs", "guide", name), []byte(d.svg()), 0o666); err != nil {
			fmt.Fprintln(os.Stderr, "figures:", err)
			os.Exit(1)
		}
	}
}

// Colours say in which memory something lies.
const (
	memory    = "#eeeeee"
	third     = "#dbe7c9"
	second    = "#f6d9c4"
	first     = "#cfe3f5"
	registers = "#e3cdee"
)

type drawing struct {
	strings.Builder
	width, height int
	title         string
}

func (d *drawing) open(width, height int, title string) {
	d.width, d.height, d.title = width, height, title
}

func (d *drawing) svg() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">
<title>%s</title>
<rect width="%d" height="%d" fill="#fff"/>
%s</svg>
`, d.width, d.height, d.title, d.width, d.height, d.String())
}

func (d *drawing) box(x, y, w, h int, fill string) {
	fmt.Fprintf(d, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s" stroke="#555" stroke-width="0.8"/>`+"\n", x, y, w, h, fill)
}

func (d *drawing) text(x, y int, anchor, s string) {
	fmt.Fprintf(d, `<text x="%d" y="%d" text-anchor="%s" fill="#222">%s</text>`+"\n", x, y, anchor, s)
}

func (d *drawing) small(x, y int, anchor, s string) {
	fmt.Fprintf(d, `<text x="%d" y="%d" text-anchor="%s" font-size="11" fill="#222">%s</text>`+"\n", x, y, anchor, s)
}

// blocks shows C = A*B and which part of each operand a loop holds where.
func blocks(d *drawing) {
	d.open(860, 470, "The blocks of a matrix product")
	d.text(110, 30, "middle", "A [M,K]")
	d.box(30, 40, 160, 240, memory)
	d.box(80, 110, 60, 70, second)
	d.box(80, 130, 60, 12, first)
	d.small(110, 104, "middle", "KC")
	d.small(72, 150, "end", "168 rows")
	d.small(148, 141, "start", "MR")

	d.text(236, 160, "middle", "×")
	d.text(400, 30, "middle", "B [K,N]")
	d.box(280, 40, 260, 160, memory)
	d.box(280, 90, 260, 60, third)
	d.box(360, 90, 16, 60, first)
	d.small(272, 124, "end", "KC")
	d.small(368, 84, "middle", "NR")
	d.small(546, 124, "start", "packed")

	d.text(600, 160, "middle", "=")
	d.text(735, 30, "middle", "C [M,N]")
	d.box(630, 40, 210, 240, memory)
	d.box(630, 110, 210, 70, "#f7f7f7")
	d.box(695, 110, 16, 70, "#ffffff")
	d.box(695, 130, 16, 12, registers)
	d.small(624, 150, "end", "unit")
	d.small(718, 141, "start", "MR × NR tile")

	loops := []struct{ name, holds, fill string }{
		{"jc, ic", "a unit: rows and columns of C that one thread takes from the team's counter", memory},
		{"pc", "a chunk of k, KC deep: its part of B lies packed in the third cache", third},
		{"jr", "a panel of B, KC × NR, comes into the first two caches and all rows pass by it", first},
		{"ir", "168 rows of A, KC deep, stay in the second cache; MR of them are read for a tile", second},
		{"k", "the micro-kernel: MR × NR sums stay in registers for KC multiply-adds each", registers},
	}
	for i, l := range loops {
		x, y := 30+i*24, 312+i*30
		d.box(x, y, 62, 22, l.fill)
		d.text(x+31, y+16, "middle", l.name)
		d.text(x+74, y+16, "start", l.holds)
	}
}

// tile shows one step of k of the 12 x 32 micro-kernel.
func tile(d *drawing) {
	d.open(860, 420, "One step of k in the 12 × 32 micro-kernel")
	d.text(430, 28, "middle", "step k of a packed panel of B: 2 loads of 16 lanes")
	for half := range 2 {
		x := 230 + half*250
		for lane := range 16 {
			d.box(x+lane*15, 40, 15, 20, first)
		}
		d.text(x+120, 55, "middle", fmt.Sprintf("Z%d = b[k][%d:%d]", half, 16*half, 16*half+16))
	}
	d.text(110, 76, "middle", "12 rows of A, anywhere")
	for row := range 12 {
		y := 84 + row*24
		d.box(40, y, 90, 18, second)
		d.box(130, y, 24, 18, first)
		d.small(85, y+13, "middle", fmt.Sprintf("row %d", row))
		d.small(142, y+13, "middle", "k")
		d.small(192, y+13, "middle", fmt.Sprintf("→ Z%d", 2+row%6))
		for half := range 2 {
			x := 230 + half*250
			d.box(x, y, 240, 18, registers)
			d.small(x+120, y+13, "middle", fmt.Sprintf("Z%d += Z%d × Z%d", 8+2*row+half, 2+row%6, half))
		}
	}
	d.small(790, 200, "middle", "24 sums,")
	d.small(790, 216, "middle", "16 lanes each")
	d.text(430, 396, "middle", "14 loads for 24 multiply-adds: 12 cycles on two ports, loads in 7 of them; 24 chains cover 4 cycles of latency")
}

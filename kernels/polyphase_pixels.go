package kernels

// listEvery is list for tiles that lie step pixels apart.
func (m *winogradImages) listEvery(step int, at []uintptr, t, n, size int, outside uintptr) {
	img, ty, tx := t/(m.tw*m.th), t/m.tw%m.th, t%m.tw
	row := uintptr(m.w) * m.pixel
	for range n {
		y0, x0 := ty*step-m.padH, tx*step-m.padW
		from, to := min(max(0, -x0), size), min(size, m.w-x0)
		line := m.base + uintptr((img*m.h+y0)*m.w+x0)*m.pixel
		for y := y0; y < y0+size; y++ {
			l := at[:size]
			at = at[size:]
			for i := range l {
				if y < 0 || y >= m.h || i < from || i >= to {
					l[i] = outside
				} else {
					l[i] = line + uintptr(i)*m.pixel
				}
			}
			line += row
		}
		if tx++; tx == m.tw {
			tx = 0
			if ty++; ty == m.th {
				ty = 0
				img++
			}
		}
	}
}

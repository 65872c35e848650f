package data

import (
	"bytes"
	"sync/atomic"
)

// Cache is a Source that keeps the images of another one, decoded, from the
// first time each is asked for until its memory is used up; the rest are read
// every time. What it returns does not depend on what it keeps.
type Cache struct {
	Source
	images []atomic.Pointer[Image]
	left   *atomic.Int64 // bytes
}

// cacheEntry is what an image costs besides its levels.
const cacheEntry = 64

// NewCache returns a cache of at most so many bytes, 8 bytes an image of the
// source not counted.
func NewCache(s Source, size int64) *Cache {
	left := new(atomic.Int64)
	left.Store(size)
	return newCache(s, left)
}

// newCache returns a cache that shares its memory with others.
func newCache(s Source, left *atomic.Int64) *Cache {
	return &Cache{s, make([]atomic.Pointer[Image], s.Len()), left}
}

// Image copies image i.
func (c *Cache) Image(i int, buf *Image) error {
	if m := c.images[i].Load(); m != nil {
		buf.Reshape(m.H, m.W, m.C)
		copy(buf.Pix, m.Pix)
		return nil
	}
	if err := c.Source.Image(i, buf); err != nil {
		return err
	}
	cost := int64(len(buf.Pix)) + cacheEntry
	if c.left.Add(-cost) < 0 || !c.images[i].CompareAndSwap(nil, &Image{buf.H, buf.W, buf.C, bytes.Clone(buf.Pix)}) {
		c.left.Add(cost)
	}
	return nil
}

// Name is the image's name in the source.
func (c *Cache) Name(i int) string { return NameOf(c.Source, i) }

// Kept is how many images are in memory.
func (c *Cache) Kept() int {
	n := 0
	for i := range c.images {
		if c.images[i].Load() != nil {
			n++
		}
	}
	return n
}

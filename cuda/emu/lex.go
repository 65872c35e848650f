package emu

import "strings"

// token is a word, number, string or punctuation mark of PTX text.
type token struct {
	text string
	line int // from 1
	at   int // byte offset of the first byte
}

// wordByte reports whether c can stand inside a name, opcode or number.
func wordByte(c byte) bool {
	return c == '_' || c == '$' || c == '%' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// lex cuts text into tokens; comments and blanks separate them. An opcode with
// all its modifiers, such as ld.global.L1::no_allocate.f32, is one token.
func lex(text string) []token {
	var out []token
	line := 1
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case strings.HasPrefix(text[i:], "//"):
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case strings.HasPrefix(text[i:], "/*"):
			end := len(text)
			if n := strings.Index(text[i+2:], "*/"); n >= 0 {
				end = i + 2 + n + 2
			}
			line += strings.Count(text[i:end], "\n")
			i = end
		case c == '"':
			j := i + 1
			for j < len(text) && text[j] != '"' && text[j] != '\n' {
				j++
			}
			j = min(j+1, len(text))
			out = append(out, token{text[i:j], line, i})
			i = j
		case wordByte(c):
			j := wordEnd(text, i)
			out = append(out, token{text[i:j], line, i})
			i = j
		default:
			out = append(out, token{text[i : i+1], line, i})
			i++
		}
	}
	return out
}

// wordEnd is the end of the word that begins at i. A "::" belongs to the word
// (L2::128B), a single ":" does not (a label); "-" and "+" do in the exponent
// of a decimal number.
func wordEnd(text string, i int) int {
	decimal := text[i] >= '0' && text[i] <= '9' && !(len(text) > i+1 && text[i] == '0' && strings.IndexByte("xXfFdD", text[i+1]) >= 0)
	j := i
	for j < len(text) {
		switch {
		case wordByte(text[j]):
			j++
		case strings.HasPrefix(text[j:], "::"):
			j += 2
		case decimal && j > i && (text[j] == '-' || text[j] == '+') && (text[j-1] == 'e' || text[j-1] == 'E'):
			j++
		default:
			return j
		}
	}
	return j
}

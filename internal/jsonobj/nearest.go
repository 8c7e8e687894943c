package jsonobj

import "strings"

// nearest returns the name that name was probably meant to be, or nothing: the one
// with the least edits (Levenshtein 1966), no more than a third of its letters,
// regardless of case, hyphens and underscores.
func nearest(name string, names []string) string {
	best, least := "", 0
	for _, candidate := range names {
		d := edits(plain(name), plain(candidate))
		if d <= max(1, len(candidate)/3) && (best == "" || d < least) {
			best, least = candidate, d
		}
	}
	return best
}

func plain(name string) string {
	if len(name) > 64 {
		name = name[:64]
	}
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// edits counts the letters to be inserted, deleted or replaced to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

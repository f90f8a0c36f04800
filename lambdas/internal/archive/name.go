package archive

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is the length of the longest key of S3, in bytes.
const maxName = 1024

// checkName refuses the names that are not the same file in the archive, in S3 and at a
// URL, and those that leave their folder where somebody unpacks the archive.
func checkName(name string) error {
	refuse := func(reason string) error { return &Invalid{name, reason} }
	switch {
	case name == "":
		return &Invalid{Reason: "has an entry without a name. Build again"}
	case len(name) > maxName:
		return refuse("whose name is longer than 1,024 bytes, which S3 cannot store. Shorten it")
	case !utf8.ValidString(name):
		return refuse("whose name is not UTF-8. Rename the file")
	case strings.ContainsFunc(name, notInXML):
		return refuse("whose name has a control character. Rename the file")
	case strings.Contains(name, `\`):
		return refuse("whose name has a backslash. Rename the file, and pack on Linux or macOS")
	case strings.HasPrefix(name, "/"):
		return refuse("which is an absolute path. Pack paths that are relative to the blog's folder")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "..", ".":
			return refuse("whose path has the part " + strconv.Quote(part) + ". Pack paths that are relative to the blog's folder")
		case "":
			return refuse("whose path has an empty part. Pack paths that are relative to the blog's folder")
		}
	}
	return nil
}

// notInXML reports whether r is a control character, or one that XML does not allow: S3
// could not list the object.
func notInXML(r rune) bool { return unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' }

// checkNames refuses names of which one file system can keep only one: the same name
// twice, names that differ only in their Unicode form, and a file with the name of a
// folder.
func checkNames(entries []entry) error {
	type named struct{ name, path string }
	names := make([]named, len(entries))
	for i, e := range entries {
		names[i] = named{e.Name, norm.NFC.String(e.Name)}
	}
	// A file comes directly before what is in the folder of the same name.
	slices.SortFunc(names, func(a, b named) int { return compareBySegment(a.path, b.path) })
	for i := range len(names) - 1 {
		a, b := names[i], names[i+1]
		switch {
		case a.name == b.name:
			return &Invalid{a.name, "twice. Build again"}
		case a.path == b.path:
			return &Invalid{a.name, "beside a name that differs only in its Unicode form. Rename one of the two"}
		case strings.HasPrefix(b.path, a.path+"/"):
			return &Invalid{a.name, "which is a file and a folder. Rename one of the two"}
		}
	}
	return nil
}

// compareBySegment orders paths so that "/" is less than each other byte.
func compareBySegment(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
)

// What an archive says about itself is refused before anything of it is read.
func TestOpenRefuses(t *testing.T) {
	page := forged{name: "index.html", content: "<p>"}
	named := func(name string) []forged { return []forged{page, {name: name, content: "x"}} }
	of := func(f forged) []forged { return []forged{page, f} }
	lie := func(lie func([]byte)) []forged { return of(forged{name: "a", content: "x", lie: lie}) }
	tests := []struct {
		name    string
		entries []forged
		end     forgedEnd
		want    string
	}{
		// Names.
		{"parent folder", named("../a"), forgedEnd{}, `has "../a", whose path has the part ".."`},
		{"parent folder inside", named("a/../../b"), forgedEnd{}, `has the part ".."`},
		{"parent folder at the end", named("a/.."), forgedEnd{}, `has the part ".."`},
		{"a folder that is the parent", named("../"), forgedEnd{}, `has the part ".."`},
		{"this folder", named("./a"), forgedEnd{}, `has the part "."`},
		{"absolute", named("/etc/passwd"), forgedEnd{}, "which is an absolute path"},
		{"absolute, of Windows", named(`C:\a`), forgedEnd{}, "has a backslash"},
		{"backslash", named(`..\a`), forgedEnd{}, "has a backslash"},
		{"empty name", of(forged{name: "", content: "x"}), forgedEnd{}, "has an entry without a name"},
		{"only a slash", named("/"), forgedEnd{}, "has an entry without a name"},
		{"empty part", named("a//b"), forgedEnd{}, "has an empty part"},
		{"NUL", named("a\x00.html"), forgedEnd{}, `has "a\x00.html", whose name has a control character`},
		{"new line", named("a\nb"), forgedEnd{}, "control character"},
		{"DEL", named("a\x7f"), forgedEnd{}, "control character"},
		{"C1 control", named("a\u0085"), forgedEnd{}, "control character"},
		{"what XML does not allow", named("a\uffff"), forgedEnd{}, "control character"},
		{"not UTF-8", named("caf\x82.html"), forgedEnd{}, `has "caf\x82.html", whose name is not UTF-8`},
		{"not UTF-8, and says it is", of(forged{name: "caf\x82", flags: 1 << 11}), forgedEnd{}, "is not UTF-8"},
		{"overlong UTF-8", named("\xc0\xae\xc0\xae/a"), forgedEnd{}, "is not UTF-8"},
		{"surrogate", named("\xed\xa0\x80"), forgedEnd{}, "is not UTF-8"},
		{"longer than a key of S3", named(strings.Repeat("a", maxName+1)), forgedEnd{}, `aaa"…, whose name is longer than 1,024 bytes`},
		{"twice", []forged{page, page}, forgedEnd{}, `has "index.html", twice`},
		{"the same folder twice", []forged{{name: "a/"}, {name: "a/"}}, forgedEnd{}, `has "a/", twice`},
		{"Unicode form", []forged{{name: "caf\u00e9"}, {name: "cafe\u0301"}}, forgedEnd{}, "differs only in its Unicode form"},
		{"Unicode form of a folder", []forged{{name: "\u304c/a"}, {name: "b"}, {name: "\u304b\u3099"}}, forgedEnd{}, "which is a file and a folder"},
		{"file and folder", []forged{{name: "a/b"}, {name: "a-b"}, {name: "a"}}, forgedEnd{}, `has "a", which is a file and a folder`},
		{"file and folder, as entries", []forged{{name: "a/"}, {name: "a"}}, forgedEnd{}, "which is a file and a folder"},

		// Kinds.
		{"symbolic link", of(forged{name: "a", content: "/etc/passwd"}.ofUnix(0o120777)), forgedEnd{}, `has "a", which is a symbolic link`},
		{"link of macOS", of(forged{name: "a", content: "b", system: 19, mode: 0o120777}), forgedEnd{}, "symbolic link"},
		{"device", of(forged{name: "a"}.ofUnix(0o060644)), forgedEnd{}, "which is no regular file"},
		{"named pipe", of(forged{name: "a"}.ofUnix(0o010644)), forgedEnd{}, "which is no regular file"},
		{"folder without a slash", of(forged{name: "a"}.ofUnix(0o040755)), forgedEnd{}, "which is no regular file"},
		{"file with a slash", of(forged{name: "a/"}.ofUnix(0o100644)), forgedEnd{}, "which is no regular file"},
		{"folder with a content", of(forged{name: "a/", content: "x"}), forgedEnd{}, "which is a folder with a content"},
		{"encrypted", of(forged{name: "a", flags: 1}), forgedEnd{}, "which is encrypted"},
		{"strongly encrypted", of(forged{name: "a", flags: 1 << 6}), forgedEnd{}, "which is encrypted"},
		{"masked header", of(forged{name: "a", flags: 1 << 13}), forgedEnd{}, "which is encrypted"},
		{"Zstandard", of(forged{name: "a", method: 93}), forgedEnd{}, "which is packed by the method 93"},

		// Sizes.
		{"bomb", of(forged{name: "a", method: deflated, content: "x", lie: put32(24, 1<<30)}), forgedEnd{}, `has "a", whose 1073741824 bytes cannot be unpacked from 7`},
		{"many small lies", of(forged{name: "a", method: deflated, content: noise(1, 300_000), lie: put32(24, 300_000_000)}), forgedEnd{}, "unpacks to more than"},
		{"packed is much more", of(forged{name: "a", method: deflated, content: noise(1, 5000), lie: put32(24, 10)}), forgedEnd{}, "cannot be unpacked from"},
		{"stored with two sizes", lie(put32(24, 2)), forgedEnd{}, "another size than it has"},
		{"more than 5 GiB", of(forged{name: "a", extra: sizes64(5<<30+1, 5<<30+1), lie: func(h []byte) { le.PutUint64(h[20:], 1<<64-1) }}), forgedEnd{}, "which has more than 5 GiB"},
		{"a negative size", of(forged{name: "a", extra: sizes64(1<<63, 1<<63), lie: func(h []byte) { le.PutUint64(h[20:], 1<<64-1) }}), forgedEnd{}, "which has more than 5 GiB"},
		{"no field with the size", lie(put32(24, in64)), forgedEnd{}, "whose extra fields are wrong"},
		{"a field that is cut off", of(forged{name: "a", extra: []byte{1, 0, 8}, lie: put32(24, in64)}), forgedEnd{}, "whose extra fields are wrong"},
		{"a field that is longer than the extra fields", of(forged{name: "a", extra: []byte{1, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0}, lie: put32(24, in64)}), forgedEnd{}, "whose extra fields are wrong"},
		{"a field with too few values", of(forged{name: "a", extra: sizes64(1), lie: func(h []byte) { le.PutUint64(h[20:], 1<<64-1) }}), forgedEnd{}, "whose extra fields are wrong"},

		// Places.
		{"overlapping", []forged{{name: "a", content: noise(1, 99)}, {name: "b", content: noise(1, 99), at: 20}}, forgedEnd{}, `has "a", which overlaps`},
		{"the same place", []forged{{name: "a", content: "x"}, {name: "b", content: "x", lie: put32(42, 0)}}, forgedEnd{}, "which overlaps"},
		{"behind the archive", lie(put32(42, 1<<30)), forgedEnd{}, "which overlaps"},
		{"far behind the archive", of(forged{name: "a", extra: sizes64(1<<63 - 1), lie: put32(42, in64)}), forgedEnd{}, "which overlaps"},
		{"before the archive", of(forged{name: "a", extra: sizes64(1 << 63), lie: put32(42, in64)}), forgedEnd{}, "which overlaps"},
		{"reaches into the directory", of(forged{name: "a", content: "x", lie: func(h []byte) { le.PutUint32(h[20:], 90); le.PutUint32(h[24:], 90) }}), forgedEnd{}, "which overlaps"},

		// The directory and the end.
		{"wrong signature", lie(put32(0, localSignature)), forgedEnd{}, "has a wrong directory"},
		{"an entry longer than the directory", lie(put16(28, 60000)), forgedEnd{}, "has a wrong directory"},
		{"more entries than it says", []forged{page, {name: "a"}}, forgedEnd{lie: put32(8, 1<<16+1)}, "has a wrong directory"},
		{"fewer entries than it says", []forged{page, {name: "a"}}, forgedEnd{lie: put32(8, 3<<16+3)}, "at another place than it says"},
		{"directory behind the archive", of(page), forgedEnd{lie: put32(16, 1<<30)}, "at another place"},
		{"directory longer than the archive", of(page), forgedEnd{lie: put32(12, 1<<20)}, "at another place"},
		{"bytes behind the directory", []forged{page}, forgedEnd{between: make([]byte, 50)}, "at another place"},
		{"several disks", of(page), forgedEnd{lie: put16(4, 1)}, "is split"},
		{"a part of the entries", []forged{page, {name: "a"}}, forgedEnd{lie: put16(8, 1)}, "is split"},
		{"a comment that is cut off", []forged{page}, forgedEnd{comment: []byte("x"), lie: put16(20, 2)}, "has an unclear end"},
		{"bytes behind the comment", []forged{page}, forgedEnd{comment: []byte("x"), lie: put16(20, 0)}, "has an unclear end"},
		{"an end in the comment", []forged{page}, forgedEnd{comment: append(le.AppendUint32(nil, endSignature), make([]byte, 18)...)}, "at another place"},
		{"zip64: two numbers of entries", []forged{page}, forgedEnd{zip64: true, lie: put32(8, 2<<16+2)}, "has an unclear end"},
		{"zip64: two places", []forged{page}, forgedEnd{zip64: true, lie: put32(16, 7)}, "has an unclear end"},
		{"zip64: wrong length of the record", []forged{page}, forgedEnd{zip64: true, lie64: put64(4, 45)}, "has an unclear end"},
		{"zip64: wrong signature", []forged{page}, forgedEnd{zip64: true, lie64: put32(0, 7)}, "has an unclear end"},
		{"zip64: another disk", []forged{page}, forgedEnd{zip64: true, lie64: put32(16, 1)}, "is split"},
		{"zip64: a negative offset", []forged{page}, forgedEnd{zip64: true, lie64: put64(48, 1<<63)}, "at another place"},
		{"zip64: a negative length", []forged{page}, forgedEnd{zip64: true, lie64: put64(40, 1<<63)}, "at another place"},
		{"zip64: a negative number", []forged{page}, forgedEnd{zip64: true, lie64: func(r []byte) { put64(24, 1<<63)(r); put64(32, 1<<63)(r) }}, "has more than 100000 entries"},
		{"zip64: 2 to the 63 entries", []forged{page}, forgedEnd{zip64: true, lie64: func(r []byte) { put64(24, 1<<62)(r); put64(32, 1<<62)(r) }}, "has more than 100000 entries"},
		{"zip64: a large directory", []forged{page}, forgedEnd{zip64: true, lie64: put64(40, maxDirectory+1)}, "a directory of more than 64 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := forge(tt.end, tt.entries...)
			_, err := Open(t.Context(), source)
			var invalid *Invalid
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a refusal with %q", err, tt.want)
			}
			if text := fmt.Sprint(err); strings.ContainsFunc(text, notInXML) || len(text) > 600 {
				t.Errorf("the text cannot be shown: %q", text)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoArchive(t *testing.T) {
	good := forge(forgedEnd{}, forged{name: "a", content: "x"}).Data
	for name, data := range map[string][]byte{
		"empty":                {},
		"text":                 []byte("not found"),
		"cut off at the end":   good[:len(good)-1],
		"cut off at the start": good[1:],
		"only a signature":     le.AppendUint32(nil, endSignature),
		"HTML":                 []byte(strings.Repeat("<p>", 1<<20)),
	} {
		var invalid *Invalid
		if _, err := Open(t.Context(), &archivetest.Source{Data: data}); !errors.As(err, &invalid) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

// A million entries are refused without reading them, also if the archive hides how many
// it has.
func TestOpenRefusesAMillionEntries(t *testing.T) {
	const million = 1_000_000
	entry := make([]byte, entryLength+7)
	le.PutUint32(entry, entrySignature)
	le.PutUint16(entry[28:], 7)
	directory := make([]byte, 0, million*len(entry))
	for i := range million {
		copy(entry[entryLength:], fmt.Sprintf("%07d", i))
		directory = append(directory, entry...)
	}
	for name, tt := range map[string]struct {
		count uint64
		want  string
	}{
		"as it says":  {million, "more than 100000 entries"},
		"modulo 2^16": {million % (1 << 16), "wrong directory"},
		"none":        {0, "wrong directory"},
	} {
		t.Run(name, func(t *testing.T) {
			source := forge(forgedEnd{zip64: true, before: directory, lie64: func(r []byte) {
				put64(24, tt.count)(r)
				put64(32, tt.count)(r)
				put64(40, uint64(len(directory)))(r)
				put64(48, 0)(r)
			}})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Open(t.Context(), source)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 16 {
				t.Errorf("needed %d MiB for the refusal", used)
			}
		})
	}
}

// What is unusual but right is read as it is.
func TestOpenReads(t *testing.T) {
	text := strings.Repeat("<p>いろは</p>", 100)
	var streamed bytes.Buffer // with data descriptors, whose sizes come after the content
	w := zip.NewWriter(&streamed)
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint("method-", method), Method: method})
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all64 := func(h []byte) { le.PutUint64(h[20:], 1<<64-1) }
	local64 := func(h []byte) { le.PutUint64(h[18:], 1<<64-1) }
	tests := []struct {
		name   string
		source *archivetest.Source
		want   map[string]string
	}{
		{"nothing", forge(forgedEnd{}), map[string]string{}},
		{"stored", forge(forgedEnd{}, forged{name: "a", content: text}), map[string]string{"a": text}},
		{"deflated", forge(forgedEnd{}, forged{name: "a", content: text, method: deflated}), map[string]string{"a": text}},
		{"empty", forge(forgedEnd{}, forged{name: "a"}, forged{name: "b", method: deflated}), map[string]string{"a": "", "b": ""}},
		{"data descriptors", &archivetest.Source{Data: streamed.Bytes()}, map[string]string{"method-0": text, "method-8": text}},
		{"folders", forge(forgedEnd{}, forged{name: "a/"}, forged{name: "a/b/"}.ofUnix(0o040755), forged{name: "a/b/c", content: "x"}.ofUnix(0o100644)), map[string]string{"a/b/c": "x"}},
		{"names that sort between a file and a folder", forge(forgedEnd{}, forged{name: "a-b"}, forged{name: "a/c"}, forged{name: "a.html"}, forged{name: "a "}), map[string]string{"a-b": "", "a/c": "", "a.html": "", "a ": ""}},
		{"UTF-8 without its flag", forge(forgedEnd{}, forged{name: "日本/語 ~%20+&'.html", content: "x"}), map[string]string{"日本/語 ~%20+&'.html": "x"}},
		{"decomposed", forge(forgedEnd{}, forged{name: "cafe\u0301", content: "x"}), map[string]string{"cafe\u0301": "x"}},
		{"names that differ in their case", forge(forgedEnd{}, forged{name: "A", content: "1"}, forged{name: "a", content: "2"}), map[string]string{"A": "1", "a": "2"}},
		{"the longest name", forge(forgedEnd{}, forged{name: strings.Repeat("a", maxName)}), map[string]string{strings.Repeat("a", maxName): ""}},
		{"three dots", forge(forgedEnd{}, forged{name: "a/.../..b"}), map[string]string{"a/.../..b": ""}},
		{"attributes of Windows", forge(forgedEnd{}, forged{name: "a", mode: 0o120777}), map[string]string{"a": ""}},
		{"a comment", forge(forgedEnd{comment: bytes.Repeat([]byte("x"), 1<<16-1)}, forged{name: "a", content: "x"}), map[string]string{"a": "x"}},
		{"a gap", forge(forgedEnd{before: make([]byte, 100)}, forged{name: "a", content: "x"}), map[string]string{"a": "x"}},
		{"out of order", forge(forgedEnd{}, forged{name: "b", content: "1"}, forged{name: "a", content: "2"}), map[string]string{"b": "1", "a": "2"}},
		{"zip64 end", forge(forgedEnd{zip64: true}, forged{name: "a", content: "x"}), map[string]string{"a": "x"}},
		{"zip64 end with both numbers", forge(forgedEnd{zip64: true, lie: put32(8, 1<<16+1)}, forged{name: "a", content: "x"}), map[string]string{"a": "x"}},
		{"zip64 sizes", forge(forgedEnd{zip64: true}, forged{name: "a", content: "xy", lie: all64, lieLocally: local64, extra: append([]byte{7, 0, 1, 0, 0}, sizes64(2, 2)...), localExtra: sizes64(2, 2)}), map[string]string{"a": "xy"}},
		{"zip64 sizes in the header alone", forge(forgedEnd{}, forged{name: "a", content: "xy", lieLocally: local64, localExtra: sizes64(2, 2)}), map[string]string{"a": "xy"}},
		{"other extra fields", forge(forgedEnd{}, forged{name: "a", content: "x", extra: []byte{0x55, 0x54, 1, 0, 0, 9}, localExtra: make([]byte, 60000)}), map[string]string{"a": "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Open(t.Context(), tt.source)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range a.Files() {
				names = append(names, f.Name)
			}
			if !slices.IsSorted(names) || len(names) != len(tt.want) {
				t.Errorf("files are %q, want those of %q, sorted", names, tt.want)
			}
			for name, content := range readAll(t, a, names, nil) {
				if want, ok := tt.want[name]; !ok || content != want {
					t.Errorf("%q is %.100q, want %.100q", name, content, want)
				}
			}
		})
	}
}

// zeros is an archive of a file of zeros that is not in memory.
type zeros struct {
	head, tail []byte
	size       int64
}

func (z zeros) Tail(_ context.Context, length int64) (io.ReadCloser, int64, error) {
	total := int64(len(z.head)+len(z.tail)) + z.size
	body, err := z.Range(context.Background(), total-length, length)
	return body, total, err
}

func (z zeros) Range(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(z, offset, length)), nil
}

func (z zeros) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	if at < int64(len(z.head)) {
		copy(p, z.head[at:])
	}
	if behind := at + int64(len(p)) - int64(len(z.head)) - z.size; behind > 0 {
		from := max(0, int64(len(p))-behind)
		copy(p[from:], z.tail[max(0, behind-int64(len(p))):])
	}
	return len(p), nil
}

// A file of 5 GiB has its sizes in zip64's field, and is behind 32 bits for the next one.
func TestOpenReadsAFileOf5GiB(t *testing.T) {
	const size = 5 << 30
	// The second file's content is at the end of the zeros.
	made := forge(forgedEnd{zip64: true},
		forged{name: "large", localExtra: sizes64(size, size), extra: sizes64(size, size), lie: func(h []byte) { le.PutUint64(h[20:], 1<<64-1) }, lieLocally: func(h []byte) { le.PutUint64(h[18:], 1<<64-1) }},
		forged{name: "small", content: "x", extra: sizes64(size + localLength + 5 + 20), lie: put32(42, in64)})
	const head = localLength + 5 + 20
	data := slices.Clone(made.Data)
	record := bytes.LastIndex(data, le.AppendUint32(nil, end64Signature))
	le.PutUint64(data[record+48:], le.Uint64(data[record+48:])+size)
	locator := bytes.LastIndex(data, le.AppendUint32(nil, locatorSignature))
	le.PutUint64(data[locator+8:], le.Uint64(data[locator+8:])+size)

	source := zeros{head: data[:head], tail: data[head:], size: size}
	a, err := Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	if files := a.Files(); len(files) != 2 || files[0].Size != size {
		t.Fatalf("files are %+v, want one of %d bytes and a small one", files, int64(size))
	}
	if got := readAll(t, a, []string{"small"}, nil); got["small"] != "x" {
		t.Errorf("the file behind 5 GiB is %q, want x", got["small"])
	}
	err = a.Read(t.Context(), []string{"large"}, nil, func(_ context.Context, f File, content io.ReadSeeker) error {
		start := make([]byte, 1<<20)
		if _, err := io.ReadFull(content, start); err != nil || bytes.ContainsFunc(start, func(r rune) bool { return r != 0 }) {
			t.Errorf("the first bytes are not those of %s: %v", f.Name, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

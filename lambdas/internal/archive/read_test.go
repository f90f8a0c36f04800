package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
)

// blog returns files of a blog: pages, and as many images that cannot be packed.
func blog(files, size int) map[string]string {
	blog := map[string]string{}
	for i := range files / 2 {
		blog[fmt.Sprintf("posts/%04d/index.html", i)] = strings.Repeat(fmt.Sprintf("<p>%04d</p>\n", i), size/12)
		blog[fmt.Sprintf("posts/%04d/image.png", i)] = noise(i, size)
	}
	return blog
}

// noise returns bytes that cannot be packed.
func noise(seed, size int) string {
	text := make([]byte, size)
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = source.Read(text) // it never fails
	return string(text)
}

func open(t testing.TB, source Source) *Archive {
	t.Helper()
	a, err := Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// readAll reads files, and fails if one comes twice.
func readAll(t *testing.T, a *Archive, names, later []string) map[string]string {
	t.Helper()
	var mu sync.Mutex
	got := map[string]string{}
	err := a.Read(t.Context(), names, later, func(_ context.Context, file File, content io.ReadSeeker) error {
		data, err := io.ReadAll(content)
		mu.Lock()
		defer mu.Unlock()
		if _, twice := got[file.Name]; twice {
			t.Errorf("%s came twice", file.Name)
		}
		got[file.Name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// store packs files without deflating them, which is faster.
func store(files map[string]string) *archivetest.Source {
	var entries []forged
	for _, name := range names(files) {
		entries = append(entries, forged{name: name, content: files[name]})
	}
	return forge(forgedEnd{}, entries...)
}

// names returns the sorted names of files.
func names(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

func TestRead(t *testing.T) {
	files := blog(400, 5_000)
	files["large.bin"] = noise(1, maxInMemory+1)
	files["empty"] = ""
	a := open(t, archivetest.Zip(files))
	for range 2 {
		if got := readAll(t, a, names(files), nil); !maps.Equal(got, files) {
			t.Error("read other contents than were packed")
		}
	}
	if got := readAll(t, a, []string{"empty", "empty"}, []string{"empty"}); len(got) != 1 {
		t.Errorf("read %d files, want 1", len(got))
	}
	if got := readAll(t, a, nil, []string{"empty"}); len(got) != 0 {
		t.Errorf("read %d files, want none", len(got))
	}
	for _, wrong := range [][2][]string{{{"empty", "nowhere"}}, {{"empty"}, {"nowhere"}}} {
		err := a.Read(t.Context(), wrong[0], wrong[1], func(context.Context, File, io.ReadSeeker) error {
			t.Error("read a file beside one that is not there")
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), `"nowhere"`) {
			t.Errorf("got %v, want an error about nowhere", err)
		}
	}
}

// A publication of an ordinary post has 104 requests for all, and 86 of them put.
func TestReadNeedsFewRequests(t *testing.T) {
	files := blog(2000, 8_000)
	all := names(files)
	var pages, images []string
	for i, name := range all {
		if i%47 == 0 || i%53 == 0 { // in all corners of the archive
			if strings.HasSuffix(name, ".png") {
				images = append(images, name)
			} else {
				pages = append(pages, name)
			}
		}
	}
	source := archivetest.Zip(files)
	count := func() int { return len(source.Requests()) }
	a := open(t, source)
	if count() != 1 {
		t.Errorf("reading the directory of 2,000 files needed %d requests, want 1", count())
	}
	got := readAll(t, a, images, pages)
	if n := count() - 1; n > 3 {
		t.Errorf("reading %d of 2,000 files needed %d requests, want at most 3", len(images)+len(pages), n)
	}
	before := count()
	maps.Copy(got, readAll(t, a, pages, nil))
	if count() != before {
		t.Errorf("the second wave needed %d requests more, want none", count()-before)
	}
	if len(a.kept) > 0 {
		t.Errorf("%d files are kept after they were read", len(a.kept))
	}
	for _, name := range slices.Concat(images, pages) {
		if got[name] != files[name] {
			t.Errorf("%s is not what was packed", name)
		}
	}

	// A small blog is read with its directory.
	files = blog(40, 10_000)
	source = archivetest.Zip(files)
	readAll(t, open(t, source), names(files), nil)
	if count() != 1 {
		t.Errorf("an archive of %d bytes needed %d requests, want 1", len(source.Data), count())
	}
}

// A directory that is longer than the first request is read by one more.
func TestOpenReadsALongDirectory(t *testing.T) {
	files := map[string]string{}
	for i := range 6000 {
		files[fmt.Sprintf("%s/%d", strings.Repeat("folder", 10), i)] = fmt.Sprint(i)
	}
	source := archivetest.Zip(files)
	a := open(t, source)
	if n := len(source.Requests()); n != 2 {
		t.Errorf("needed %d requests, want 2", n)
	}
	if got := readAll(t, a, names(files), nil); !maps.Equal(got, files) {
		t.Error("read other contents than were packed")
	}
}

// What is kept for later waves is limited, and the rest is asked for again.
func TestReadKeepsWhatFits(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("%02d", i)] = noise(i, 1<<20)
	}
	a := open(t, store(files))
	all := names(files)
	got := readAll(t, a, all[:1], all[1:])
	kept := 0
	for _, raw := range a.kept {
		kept += len(raw)
	}
	if kept > maxKept || kept < maxKept/2 {
		t.Errorf("keeps %d bytes, want nearly %d", kept, maxKept)
	}
	maps.Copy(got, readAll(t, a, all[1:20], all[20:]))
	maps.Copy(got, readAll(t, a, all[20:], nil))
	if !maps.Equal(got, files) {
		t.Error("read other contents than were packed")
	}
	if len(a.kept) > 0 {
		t.Errorf("%d files are kept after they were read", len(a.kept))
	}
}

// The content that is in memory is limited, and so are the calls.
func TestReadIsBounded(t *testing.T) {
	files := map[string]string{"large": noise(0, maxInMemory)}
	for i := range 200 {
		files[fmt.Sprint("small/", i)] = noise(i, 1000)
	}
	for i := range 30 {
		files[fmt.Sprint("image/", i)] = noise(i, 3<<20)
	}
	synctest.Test(t, func(t *testing.T) {
		var calls, bytes, mostCalls, mostBytes atomic.Int64
		note := func(most *atomic.Int64, now int64) {
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
		}
		err := open(t, store(files)).Read(t.Context(), names(files), nil, func(_ context.Context, f File, _ io.ReadSeeker) error {
			note(&mostCalls, calls.Add(1))
			note(&mostBytes, bytes.Add(f.Size))
			time.Sleep(time.Second) // until nothing else can begin before this call ends
			calls.Add(-1)
			bytes.Add(-f.Size)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if calls, mb := mostCalls.Load(), mostBytes.Load()>>20; calls > Workers || mb > maxInFlight>>20 || calls < 2 {
			t.Errorf("at most %d calls with %d MiB at a time, want several, and no more than %d with %d", calls, mb, Workers, maxInFlight>>20)
		}
	})
}

// The first error ends the reading, and is what Read returns.
func TestReadEnds(t *testing.T) {
	files := blog(200, 50_000)
	files["large"] = noise(1, maxInMemory+1)
	source, denied := store(files), errors.New("denied")
	var calls atomic.Int64
	err := open(t, source).Read(t.Context(), names(files), nil, func(ctx context.Context, f File, content io.ReadSeeker) error {
		if calls.Add(1) == 3 {
			return denied
		}
		<-ctx.Done()
		if f.Name == "large" {
			if _, err := content.Read(make([]byte, 1)); err == nil {
				t.Error("read on after the end")
			}
		}
		return ctx.Err()
	})
	if !errors.Is(err, denied) {
		t.Errorf("got %v, want %v", err, denied)
	}
	if calls.Load() > Workers {
		t.Errorf("made %d calls, want none after the error", calls.Load())
	}

	over := errors.New("the time is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	a := open(t, source)
	cancel(over)
	err = a.Read(ctx, names(files), nil, func(context.Context, File, io.ReadSeeker) error { return nil })
	if !errors.Is(err, over) {
		t.Errorf("got %v, want %v", err, over)
	}
	if a.memory.TryAcquire(maxInFlight) != true {
		t.Error("memory was not given back")
	}
}

// An entry that is not what the directory says never gets to fn, or not to its end.
func TestReadRefuses(t *testing.T) {
	text := strings.Repeat("<p>いろは</p>", 50)
	packed := uint32(len(deflate(text)))
	sizes := func(packed, size uint32) func([]byte) {
		return func(h []byte) { le.PutUint32(h[20:], packed); le.PutUint32(h[24:], size) }
	}
	localSizes := func(packed, size uint32) func([]byte) {
		return func(h []byte) { le.PutUint32(h[18:], packed); le.PutUint32(h[22:], size) }
	}
	size := uint32(len(text))
	tests := []struct {
		name  string
		entry forged
		want  string
	}{
		{"another checksum", forged{content: text, lie: put32(16, 7), lieLocally: put32(14, 7)}, "another checksum"},
		{"another checksum, deflated", forged{content: text, method: deflated, lie: put32(16, 7), lieLocally: put32(14, 7)}, "another checksum"},
		{"longer than it says", forged{content: text, method: deflated, lie: sizes(packed, size-1), lieLocally: localSizes(packed, size-1)}, "is longer than the directory says"},
		{"shorter than it says", forged{content: text, method: deflated, lie: sizes(packed, size+1), lieLocally: localSizes(packed, size+1)}, "is shorter than the directory says"},
		{"cut off", forged{content: text, method: deflated, lie: sizes(packed-3, size), lieLocally: localSizes(packed-3, size)}, "is shorter than the directory says"},
		{"no deflate", forged{content: text, lie: put16(10, deflated), lieLocally: put16(8, deflated)}, "cannot be unpacked"},
		{"another name", forged{content: text, localName: "../"}, "own header says something else"},
		{"a longer name", forged{content: text, localName: "abcd"}, "is not where the directory says"},
		{"another method", forged{content: text, lieLocally: put16(8, deflated)}, "own header says something else"},
		{"encrypted", forged{content: text, lieLocally: put16(6, 1)}, "own header says something else"},
		{"another size", forged{content: text, lieLocally: put32(22, 1)}, "own header says something else"},
		{"another packed size", forged{content: text, lieLocally: put32(18, 1)}, "own header says something else"},
		{"another checksum in the header", forged{content: text, lieLocally: put32(14, 7)}, "own header says something else"},
		{"no header", forged{content: text, lieLocally: put32(0, 7)}, "is not where the directory says"},
		{"extra fields up to the next entry", forged{content: text, lieLocally: put16(28, 1)}, "overlaps the next entry"},
		{"extra fields behind the archive", forged{content: text, lieLocally: put16(28, 60000)}, "is shorter than the directory says"},
	}
	for _, tt := range tests {
		for _, far := range []bool{false, true} { // in the tail, or not
			t.Run(fmt.Sprint(tt.name, ", far ", far), func(t *testing.T) {
				tt.entry.name = "bad"
				entries := []forged{{name: "good", content: "x"}, tt.entry}
				if far {
					entries = append(entries, forged{name: "zz", content: noise(1, tailLength)})
				}
				source := forge(forgedEnd{}, entries...)
				err := open(t, source).Read(t.Context(), []string{"bad"}, nil, func(context.Context, File, io.ReadSeeker) error {
					t.Error("it was passed on")
					return nil
				})
				var invalid *Invalid
				if !errors.As(err, &invalid) || invalid.Entry != "bad" || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want a refusal with %q", err, tt.want)
				}
				// What is kept for later is no exception.
				a := open(t, source)
				readAll(t, a, []string{"good"}, []string{"bad"})
				if err := a.Read(t.Context(), []string{"bad"}, nil, func(context.Context, File, io.ReadSeeker) error { return nil }); !errors.As(err, &invalid) {
					t.Errorf("got %v after it was kept, want a refusal", err)
				}
			})
		}
	}
}

// A large file is streamed, again and again.
func TestLarge(t *testing.T) {
	content := strings.Repeat(noise(1, 1000), maxInMemory/1000+1)
	for name, method := range map[string]uint16{"stored": stored, "deflated": deflated} {
		t.Run(name, func(t *testing.T) {
			source := forge(forgedEnd{}, forged{name: "a", content: content, method: method}, forged{name: "b", content: noise(2, tailLength)})
			err := open(t, source).Read(t.Context(), []string{"a"}, nil, func(_ context.Context, f File, r io.ReadSeeker) error {
				for range 2 {
					data, err := io.ReadAll(r)
					if err != nil || string(data) != content {
						t.Fatalf("read %d bytes, %v, want %d as they were packed", len(data), err, len(content))
					}
					if _, err := r.Seek(0, io.SeekStart); err != nil {
						t.Fatal(err)
					}
				}
				half := make([]byte, 100)
				if _, err := io.ReadFull(r, half); err != nil {
					t.Fatal(err)
				}
				// The SDK looks for the length this way.
				at, err1 := r.Seek(0, io.SeekCurrent)
				length, err2 := r.Seek(0, io.SeekEnd)
				_, err3 := r.Seek(at, io.SeekStart)
				if err := errors.Join(err1, err2, err3); err != nil || at != 100 || length != f.Size {
					t.Errorf("at %d of %d, %v, want 100 of %d", at, length, err, f.Size)
				}
				if rest, err := io.ReadAll(r); err != nil || string(rest) != content[100:] {
					t.Errorf("read %d bytes after seeking, %v, want the rest", len(rest), err)
				}
				for _, wrong := range []int64{-1, f.Size + 1} {
					if _, err := r.Seek(wrong, io.SeekStart); err == nil {
						t.Errorf("found byte %d", wrong)
					}
				}
				if _, err := r.Seek(5, io.SeekStart); err != nil {
					t.Error(err)
				}
				if n, err := r.Read(half); err == nil {
					t.Errorf("read %d bytes from the middle, want an error", n)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// The last bytes of a large file that is not what the directory says are withheld.
func TestLargeRefuses(t *testing.T) {
	content := strings.Repeat(noise(1, 1000), maxInMemory/1000+1)
	size := uint32(len(content))
	tests := []struct {
		name  string
		entry forged
		want  string
	}{
		{"another checksum", forged{content: content, lie: put32(16, 7), lieLocally: put32(14, 7)}, "another checksum"},
		{"longer", forged{content: content, method: deflated, lie: put32(24, size-1), lieLocally: put32(22, size-1)}, "is longer"},
		{"shorter", forged{content: content, method: deflated, lie: put32(24, size+1), lieLocally: put32(22, size+1)}, "is shorter"},
		{"no deflate", forged{content: strings.Repeat("\xff", int(size)), lie: put16(10, deflated), lieLocally: put16(8, deflated)}, "cannot be unpacked"},
		{"another name", forged{content: content, localName: "x"}, "own header says something else"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.entry.name = "a"
			err := open(t, forge(forgedEnd{}, tt.entry)).Read(t.Context(), []string{"a"}, nil, func(_ context.Context, f File, r io.ReadSeeker) error {
				n, err := io.Copy(io.Discard, r)
				if n >= f.Size {
					t.Errorf("read all %d bytes", n)
				}
				return err
			})
			var invalid *Invalid
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a refusal with %q", err, tt.want)
			}
		})
	}
}

package show

import (
	"slices"
	"testing"
	"time"
)

func TestSeconds(t *testing.T) {
	for _, tc := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0 ms"},
		{0, "0 ms"},
		{99 * ms, "99 ms"},
		{99999 * time.Microsecond, "0.1 s"},
		{4100 * ms, "4.1 s"},
		{59949 * ms, "59.9 s"},
		{59950 * ms, "1 min"},
		{125 * sec, "2 min 5 s"},
		{time.Hour - 501*ms, "59 min 59 s"},
		{time.Hour - 500*ms, "1 h"},
		{70*time.Minute + 29*sec, "1 h 10 min"},
		{48 * time.Hour, "48 h"},
	} {
		if got := seconds(tc.d); got != tc.want {
			t.Errorf("seconds(%s): got %q, want %q", tc.d, got, tc.want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"colours", "\x1b[1;32mok\x1b[0m", "ok"},
		{"a title, with either end", "\x1b]0;x\x07a\x1b]8;;http://e\x1b\\b", "ab"},
		{"a progress bar", "10%\r50%\r100%\r\n", "100%"},
		{"a tab", "a\tb", "a b"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
		{"C1 controls", "a\u009bb", "ab"},
		{"text that runs backwards", "a\u202eb", "ab"},
		{"an emoji of several characters", "👩‍💻 é", "👩‍💻 é"},
		{"cut within a sequence", "a\x1b[3", "a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := clean(tc.in); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestCut(t *testing.T) {
	l := line{{"はじ", normal}, {"めに", dim}}
	for limit, want := range map[int]string{-1: "", 0: "", 1: "…", 2: "…", 3: "は…", 5: "はじ…", 6: "はじ…", 7: "はじめ…", 8: "はじめに", 9: "はじめに"} {
		got := l.cut(limit)
		if got.render(false) != want || got.width() > max(0, limit) {
			t.Errorf("cut(%d): got %q of width %d, want %q", limit, got.render(false), got.width(), want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		limit    int
		want     []string
	}{
		{"no limit", "a b\nc", 0, []string{"a b", "c"}},
		{"at spaces", "one two three", 7, []string{"one two", "three"}},
		{"a long word stays whole", "see arn:aws:s3:::bucket now", 6, []string{"see", "arn:aws:s3:::bucket", "now"}},
		{"wide characters", "日本 日本", 8, []string{"日本", "日本"}},
		{"text without spaces", "ビルドに失敗しました。「はじめに」を見てください。", 12, []string{"ビルドに失敗", "しました。", "「はじめに」", "を見てくださ", "い。"}},
		{"text without spaces, and what follows", "error in はじめにの本文を組み立てる now", 16, []string{"error in はじめ", "にの本文を組み立", "てる now"}},
		{"an address of wide characters stays whole", "see /posts/はじめに/index.html", 12, []string{"see", "/posts/はじめに/index.html"}},
		{"spaces that a table has stay", "a  b  c", 7, []string{"a  b  c"}},
		{"nothing", "", 5, []string{""}},
		{"spaces only", "         ", 5, []string{""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := wrap(tc.in, tc.limit); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFold(t *testing.T) {
	l := line{{"    ✓ ", green}, {"one two ", normal}, {"three", dim}, {"four 五六七", bold}}
	var got []string
	for _, part := range l.fold(14, 6) {
		got = append(got, part.render(false))
	}
	// Without a space between them, "three" and "four" are one word.
	if want := []string{"    ✓ one two", "      threefour", "      五六七"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := l.fold(0, 6); len(got) != 1 {
		t.Errorf("without a limit it is folded: %v", got)
	}
}

package archive

import "fmt"

// Invalid is the error of an archive that is refused, because it is damaged, or because
// it has what no build of a blog has. Its text says what to do.
type Invalid struct {
	// Entry is the name of the entry that is wrong; "" if the archive as a whole is.
	Entry string
	// Reason goes on after the name.
	Reason string
}

// maxQuote limits how much of a name a text quotes, in bytes.
const maxQuote = 200

func (i *Invalid) Error() string {
	if i.Entry == "" {
		return "the build's archive " + i.Reason
	}
	name, rest := i.Entry, ""
	if len(name) > maxQuote {
		name, rest = name[:maxQuote], "…"
	}
	return fmt.Sprintf("the build's archive has %q%s, %s", name, rest, i.Reason)
}

package props

import "regexp"

// Identity says which blog or service something belongs to, and where that is deployed.
type Identity struct {
	Kind                  string // "blog" or "service"
	Name, Account, Region string
}

func (i Identity) String() string { return i.Kind + " " + quoted(i.Name) }

var accountPattern = regexp.MustCompile(`^\d{12}$`)

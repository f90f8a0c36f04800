package buildspec

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// options are a program's arguments, by name.
type options map[string][]string

func (o options) get(name string) string {
	if len(o[name]) == 0 {
		return ""
	}
	return o[name][0]
}

// parseOptions reads --name value and --name=value as the AWS CLI and docker do. Known
// has each name with the largest number of its values; a "!" before a name marks one
// that is required. The rest are the arguments that belong to no option.
func parseOptions(args []string, known map[string]int) (options, []string, error) {
	got := make(options)
	var rest []string
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		if !strings.HasPrefix(name, "--") {
			rest = append(rest, args[i])
			continue
		}
		most, ok := known[name]
		if !ok {
			most, ok = known["!"+name]
		}
		if !ok {
			return nil, nil, exit{252, "Unknown options: " + name}
		}
		if _, twice := got[name]; twice {
			return nil, nil, exit{252, name + " was given twice"}
		}
		got[name] = []string{}
		if joined {
			got[name] = append(got[name], value)
		}
		for len(got[name]) < most && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
			i++
			got[name] = append(got[name], args[i])
		}
		if most > 0 && len(got[name]) == 0 || len(got[name]) > most {
			return nil, nil, exit{252, fmt.Sprintf("argument %s: got %d values, want 1 to %d", name, len(got[name]), most)}
		}
	}
	for name := range known {
		if name, required := strings.CutPrefix(name, "!"); required && got[name] == nil {
			return nil, nil, exit{252, "the following arguments are required: " + name}
		}
	}
	return got, rest, nil
}

func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false) // as the AWS CLI
	return enc.Encode(v)
}

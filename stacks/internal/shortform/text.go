package shortform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

type writer struct{ strings.Builder }

func (w *writer) line(indent int, format string, args ...any) {
	if line := fmt.Sprintf(format, args...); line != "" {
		w.WriteString(strings.Repeat("  ", indent) + line)
	}
	w.WriteByte('\n')
}

// width is how many characters of a value fit behind its path.
const width = 100

// entry writes a value behind its path, or below the path if it is long or has several lines.
func (w *writer) entry(indent int, path string, v any) {
	if s, tag, ok := stringOf(v); ok && strings.Contains(s, "\n") && printable(s) && !spaceAtEnd.MatchString(s) {
		w.line(indent, "%s: %s|", path, tag)
		for line := range strings.SplitSeq(s, "\n") {
			w.line(indent+1, "%s", line)
		}
		return
	}
	if line := text(v); len(line) <= width || isLeaf(v) {
		w.line(indent, "%s: %s", path, line)
		return
	}
	w.line(indent, "%s:", path)
	w.elements(indent+1, v)
}

var spaceAtEnd = regexp.MustCompile(`(?m) $`)

// elements writes each element of an object or a list as an entry.
func (w *writer) elements(indent int, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			w.entry(indent, keyText(key), v[key])
		}
	case []any:
		for i, element := range v {
			w.entry(indent, fmt.Sprintf("[%d]", i), element)
		}
	}
}

// isLeaf reports whether a value is written as one text: it is no list, and no object but an intrinsic
// function that text knows.
func isLeaf(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		_, _, isString := stringOf(v)
		return isString || reference(v) != ""
	case []any:
		return false
	}
	return true
}

// text returns a value on one line. It is JSON in which plain keys have no quotes, a string with quotes
// stands in backquotes, and intrinsic functions are those of CloudFormation's YAML.
func text(v any) string {
	if s, tag, ok := stringOf(v); ok {
		if strings.Contains(s, `"`) && !strings.ContainsAny(s, "`\n") && printable(s) {
			return tag + "`" + s + "`"
		}
		return tag + jsonText(s)
	}
	switch v := v.(type) {
	case map[string]any:
		if short := reference(v); short != "" {
			return short
		}
		parts := make([]string, 0, len(v))
		for _, key := range sortedKeys(v) {
			parts = append(parts, keyText(key)+": "+text(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, element := range v {
			parts[i] = text(element)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return jsonText(v)
}

// stringOf returns a string, or the text of an Fn::Join that only concatenates, with the tag !Sub.
func stringOf(v any) (s, tag string, ok bool) {
	if s, ok := v.(string); ok {
		return s, "", true
	}
	join, _ := only(v, "Fn::Join").([]any)
	if len(join) != 2 || join[0] != "" {
		return "", "", false
	}
	parts, ok := join[1].([]any)
	if !ok {
		return "", "", false
	}
	for _, part := range parts {
		if literal, ok := part.(string); ok {
			s += strings.ReplaceAll(literal, "${", "${!")
			continue
		}
		short := reference(part)
		if short == "" {
			return "", "", false
		}
		_, name, _ := strings.Cut(short, " ")
		s += "${" + name + "}"
	}
	return s, "!Sub ", true
}

// reference returns the short form of a Ref or an Fn::GetAtt, and else "".
func reference(v any) string {
	if id, ok := only(v, "Ref").(string); ok && plain.MatchString(id) {
		return "!Ref " + id
	}
	list, _ := only(v, "Fn::GetAtt").([]any)
	if len(list) != 2 {
		return ""
	}
	id, ok := list[0].(string)
	attribute, ok2 := list[1].(string)
	if !ok || !ok2 || !plain.MatchString(id) || !plain.MatchString(attribute) {
		return ""
	}
	return "!GetAtt " + id + "." + attribute
}

// only returns the value of an object whose only key is key.
func only(v any, key string) any {
	if v := object(v); len(v) == 1 {
		return v[key]
	}
	return nil
}

// plain matches a key or a name that needs no quotes, with marks or without.
var plain = regexp.MustCompile(`^[A-Za-z0-9:_/<>-]+$`)

func keyText(key string) string {
	if plain.MatchString(key) {
		return key
	}
	return jsonText(key)
}

// printable reports whether all characters of a string can be seen, its line breaks apart.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f })
}

func jsonText(v any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // What was decoded from JSON can be encoded.
	}
	return strings.TrimSuffix(out.String(), "\n")
}

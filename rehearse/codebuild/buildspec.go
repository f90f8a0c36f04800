package codebuild

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Buildspec is a buildspec as AWS documents it.
//
// AWS source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
type Buildspec struct {
	Version   string            `yaml:"version"` // 0.1 or 0.2
	RunAs     string            `yaml:"run-as"`
	Env       Env               `yaml:"env"`
	Proxy     map[string]YesNo  `yaml:"proxy"`
	Batch     map[string]any    `yaml:"batch"`
	Phases    Phases            `yaml:"phases"`
	Reports   map[string]Report `yaml:"reports"`
	Artifacts *Artifacts        `yaml:"artifacts"`
	Cache     Cache             `yaml:"cache"`

	// EnvironmentVariables replaces Env in version 0.1. Parse copies the values to Env.
	EnvironmentVariables *struct {
		Plaintext map[string]string `yaml:"plaintext"`
	} `yaml:"environment_variables"`
}

// Env is a buildspec's env.
type Env struct {
	Shell               string            `yaml:"shell"` // "", bash or /bin/sh
	Variables           map[string]string `yaml:"variables"`
	ParameterStore      map[string]string `yaml:"parameter-store"`
	SecretsManager      map[string]string `yaml:"secrets-manager"`
	ExportedVariables   []string          `yaml:"exported-variables"`
	GitCredentialHelper YesNo             `yaml:"git-credential-helper"`
}

// The phases of a build, in order. CodeBuild has SUBMITTED, QUEUED and PROVISIONING before them, and FINALIZING and
// COMPLETED after them, which Run omits.
const (
	DownloadSource  = "DOWNLOAD_SOURCE"
	Install         = "INSTALL"
	PreBuild        = "PRE_BUILD"
	BuildPhase      = "BUILD"
	PostBuild       = "POST_BUILD"
	UploadArtifacts = "UPLOAD_ARTIFACTS"
)

// Phases holds the phases with commands. A phase that is not in the buildspec is nil.
type Phases struct {
	Install   *Phase `yaml:"install"`
	PreBuild  *Phase `yaml:"pre_build"`
	Build     *Phase `yaml:"build"`
	PostBuild *Phase `yaml:"post_build"`
}

// Phase is one of a buildspec's phases.
type Phase struct {
	RunAs           string            `yaml:"run-as"`
	OnFailure       string            `yaml:"on-failure"`       // ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex, RETRY-count-regex
	RuntimeVersions map[string]string `yaml:"runtime-versions"` // only in install
	Commands        []string          `yaml:"commands"`
	Finally         []string          `yaml:"finally"`
}

// Artifacts describes the files that UPLOAD_ARTIFACTS collects.
type Artifacts struct {
	Type           string                `yaml:"type"` // from version 0.1; has no effect
	Files          []string              `yaml:"files"`
	Name           string                `yaml:"name"`
	DiscardPaths   YesNo                 `yaml:"discard-paths"`
	BaseDirectory  string                `yaml:"base-directory"`
	ExcludePaths   OneOrMore             `yaml:"exclude-paths"`
	EnableSymlinks YesNo                 `yaml:"enable-symlinks"`
	S3Prefix       string                `yaml:"s3-prefix"`
	Secondary      map[string]*Artifacts `yaml:"secondary-artifacts"`
}

// Report is a group of test reports.
type Report struct {
	Files         []string `yaml:"files"`
	BaseDirectory string   `yaml:"base-directory"`
	DiscardPaths  YesNo    `yaml:"discard-paths"`
	FileFormat    string   `yaml:"file-format"`
}

// Cache is a buildspec's cache.
type Cache struct {
	Key          string   `yaml:"key"`
	FallbackKeys []string `yaml:"fallback-keys"`
	Action       string   `yaml:"action"`
	Paths        []string `yaml:"paths"`
}

// YesNo is a switch. The reference writes yes and no, which are strings in YAML 1.2. Parse also accepts true and false.
type YesNo bool

// UnmarshalYAML reads a switch.
func (y *YesNo) UnmarshalYAML(unmarshal func(any) error) error {
	var s string
	if err := unmarshal(&s); err != nil {
		return err
	}
	switch strings.ToLower(s) {
	case "yes", "true":
		*y = true
	case "no", "false", "":
		*y = false
	default:
		return fmt.Errorf("%q is neither yes nor no", s)
	}
	return nil
}

// OneOrMore is a list that may also be written as a single string.
type OneOrMore []string

// UnmarshalYAML reads a list or a single string.
func (o *OneOrMore) UnmarshalYAML(unmarshal func(any) error) error {
	var list []string
	if err := unmarshal(&list); err == nil {
		*o = list
		return nil
	}
	var one string
	if err := unmarshal(&one); err != nil {
		return err
	}
	*o = OneOrMore{one}
	return nil
}

// Command is an item of a commands or finally list.
type Command struct {
	Phase   string // such as PRE_BUILD
	Number  int    // the position in the list; the first is 1
	Finally bool
	Text    string
}

// String returns the place of the command in the buildspec, such as pre_build-2 or build-finally-1.
func (c Command) String() string {
	list := "-"
	if c.Finally {
		list = "-finally-"
	}
	return strings.ToLower(c.Phase) + list + strconv.Itoa(c.Number)
}

// Commands returns all commands in the order of a build without failures.
func (s *Buildspec) Commands() []Command {
	var all []Command
	for _, p := range s.phases() {
		all = append(all, p.commands()...)
	}
	return all
}

// namedPhase is a phase with its name in CodeBuild's reports. A phase that is not in the buildspec is empty, because
// CodeBuild reports it, too.
type namedPhase struct {
	name string
	Phase
}

func (s *Buildspec) phases() []namedPhase {
	all := []namedPhase{{name: Install}, {name: PreBuild}, {name: BuildPhase}, {name: PostBuild}}
	for i, p := range []*Phase{s.Phases.Install, s.Phases.PreBuild, s.Phases.Build, s.Phases.PostBuild} {
		if p != nil {
			all[i].Phase = *p
		}
	}
	return all
}

func (p namedPhase) commands() []Command {
	var all []Command
	for i, text := range p.Commands {
		all = append(all, Command{Phase: p.name, Number: i + 1, Text: text})
	}
	for i, text := range p.Finally {
		all = append(all, Command{Phase: p.name, Number: i + 1, Finally: true, Text: text})
	}
	return all
}

// artifacts returns the definition of the primary artifact, followed by those of the secondary artifacts.
func (s *Buildspec) artifacts() []*Artifacts {
	if s.Artifacts == nil {
		return nil
	}
	all := []*Artifacts{s.Artifacts}
	for _, id := range slices.Sorted(maps.Keys(s.Artifacts.Secondary)) {
		all = append(all, s.Artifacts.Secondary[id])
	}
	return all
}

// Parse reads a buildspec. It is stricter than CodeBuild, which ignores some unknown keys: for a key that is misspelt or in
// the wrong place, Parse returns an error with the line.
func Parse(text string) (*Buildspec, error) {
	var s Buildspec
	// The decoder itself refuses duplicate keys.
	dec := yaml.NewDecoder(strings.NewReader(text), yaml.DisallowUnknownField())
	switch err := dec.Decode(&s); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("parse buildspec: the buildspec is empty")
	case err != nil:
		return nil, fmt.Errorf("parse buildspec: %w", inLine(err))
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse buildspec: want one YAML document, not several")
	}
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("check buildspec: %w", err)
	}
	return &s, nil
}

// inLine turns the decoder's message into one line that begins with the line number.
func inLine(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		return err
	}
	line, message := e.GetToken().Position.Line, e.GetMessage()
	switch {
	case strings.HasPrefix(message, "cannot unmarshal map") && strings.HasSuffix(message, ".Phases of type string"):
		// A colon and a space turn a command into a mapping. This is the most common mistake in buildspecs.
		message = "expected a command to be of string type, found subkeys instead; quote a command that has \": \" in it, or write it after |"
	case strings.HasPrefix(message, "cannot unmarshal "):
		message, _, _ = strings.Cut(strings.Replace(message, "cannot unmarshal", "found", 1), " into Go struct field ")
		message += ", want another type"
	case strings.HasPrefix(message, "unknown field "):
		message = "unknown key " + strings.TrimPrefix(message, "unknown field ") + "; CodeBuild has no such key there"
	}
	return fmt.Errorf("line %d: %s", line, message)
}

// validate returns an error for every mistake that the decoder does not find.
func (s *Buildspec) validate() error {
	var errs []error
	problem := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	switch s.Version {
	case "0.2":
		if s.EnvironmentVariables != nil {
			problem("environment_variables is for version 0.1; use env in version 0.2")
		}
	case "0.1":
		if s.EnvironmentVariables != nil {
			s.Env.Variables = s.EnvironmentVariables.Plaintext
		} else if len(s.Env.Variables) > 0 {
			problem("env is for version 0.2; use environment_variables and plaintext in version 0.1")
		}
	case "":
		problem("version is missing, want 0.2 (or 0.1)")
	default:
		problem("version is %q, want 0.2 (or 0.1)", s.Version)
	}

	switch s.Env.Shell {
	case "", "bash", "/bin/sh":
	default:
		problem("env.shell is %q, want bash or /bin/sh, the shells of Linux builds", s.Env.Shell)
	}
	for _, from := range []map[string]string{s.Env.Variables, s.Env.ParameterStore, s.Env.SecretsManager} {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			if !isName(name) {
				problem("env has the variable %q, want a name of letters, digits and _", name)
			}
		}
	}
	for _, name := range s.Env.ExportedVariables {
		if !isName(name) {
			problem("env.exported-variables has %q, want a name of letters, digits and _", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Proxy)) {
		if name != "upload-artifacts" && name != "logs" {
			problem("proxy has the key %q, want upload-artifacts or logs", name)
		}
	}

	if s.Phases == (Phases{}) {
		problem("phases is missing, want at least one of install, pre_build, build, post_build")
	}
	for _, p := range s.phases() {
		errs = append(errs, p.validate()...)
	}
	for i, p := range []*Phase{s.Phases.PreBuild, s.Phases.Build, s.Phases.PostBuild} {
		name := []string{"pre_build", "build", "post_build"}[i]
		if p != nil && len(p.Commands) == 0 {
			problem("phases.%s.commands is missing; every phase except install needs it", name)
		}
		if p != nil && p.RuntimeVersions != nil {
			problem("phases.%s.runtime-versions: only install can select runtimes", name)
		}
	}
	if p := s.Phases.Install; p != nil && p.RuntimeVersions != nil && len(p.RuntimeVersions) == 0 {
		problem("phases.install.runtime-versions is empty, want at least one runtime")
	}

	for _, group := range slices.Sorted(maps.Keys(s.Reports)) {
		if len(s.Reports[group].Files) == 0 {
			problem("reports.%s.files is missing", group)
		}
	}
	if s.Artifacts != nil {
		errs = append(errs, s.Artifacts.validate("artifacts")...)
		for _, id := range slices.Sorted(maps.Keys(s.Artifacts.Secondary)) {
			a := s.Artifacts.Secondary[id]
			if a == nil {
				problem("artifacts.secondary-artifacts.%s is empty", id)
				continue
			}
			errs = append(errs, a.validate("artifacts.secondary-artifacts."+id)...)
			if a.Secondary != nil {
				problem("artifacts.secondary-artifacts.%s has secondary-artifacts of its own", id)
			}
		}
	}
	switch s.Cache.Action {
	case "", "restore", "save":
	default:
		problem("cache.action is %q, want restore or save", s.Cache.Action)
	}
	if n := len(s.Cache.FallbackKeys); n > 5 {
		problem("cache.fallback-keys has %d keys, want 5 at most", n)
	}
	return errors.Join(errs...)
}

func (p namedPhase) validate() []error {
	var errs []error
	if _, err := parseOnFailure(p.OnFailure); err != nil {
		errs = append(errs, fmt.Errorf("phases.%s.on-failure: %w", strings.ToLower(p.name), err))
	}
	for _, c := range p.commands() {
		if strings.TrimSpace(c.Text) == "" {
			errs = append(errs, fmt.Errorf("phases.%s has an empty command (%s)", strings.ToLower(p.name), c))
		}
		if strings.ContainsRune(c.Text, 0) {
			errs = append(errs, fmt.Errorf("phases.%s has a command with a NUL character (%s)", strings.ToLower(p.name), c))
		}
	}
	return errs
}

func (a *Artifacts) validate(key string) []error {
	var errs []error
	if len(a.Files) == 0 {
		errs = append(errs, fmt.Errorf("%s.files is missing; CodeBuild needs it even if there are only secondary artifacts", key))
	}
	for _, pattern := range slices.Concat(a.Files, a.ExcludePaths) {
		if _, err := globPattern(pattern); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errs
}

// action is the reaction to a failed phase.
type action int

const (
	nextPhases action = iota // on-failure is not set, and the documented transitions apply
	abortBuild
	continueBuild
	retryBuild
)

type onFailure struct {
	action  action
	retries int
	pattern *regexp.Regexp
}

// matches reports whether the build must be tried again. The reference says "an error message that matches". Here this is
// the phase's context or the output of the failed command.
func (f onFailure) matches(context, output string) bool {
	return f.pattern.MatchString(context) || f.pattern.MatchString(output)
}

var retry = regexp.MustCompile(`^(?i:RETRY)(?:-([0-9]+))?(?:-(.+))?$`)

// parseOnFailure reads the value of on-failure. The reference writes RETRY and, in its examples, Retry.
func parseOnFailure(text string) (onFailure, error) {
	switch text {
	case "":
		return onFailure{}, nil
	case "ABORT":
		return onFailure{action: abortBuild}, nil
	case "CONTINUE":
		return onFailure{action: continueBuild}, nil
	}
	m := retry.FindStringSubmatch(text)
	if m == nil {
		return onFailure{}, fmt.Errorf("%q is not one of ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex, RETRY-count-regex", text)
	}
	f := onFailure{action: retryBuild, retries: 3}
	if m[1] != "" {
		n, err := strconv.Atoi(m[1])
		if err != nil || n > 100 {
			return onFailure{}, fmt.Errorf("%q retries %s times, want 0 to 100", text, m[1])
		}
		f.retries = n
	}
	if m[2] == "" {
		m[2] = ".*"
	}
	var err error
	if f.pattern, err = regexp.Compile(m[2]); err != nil {
		return onFailure{}, fmt.Errorf("%q has an invalid regular expression: %w", text, err)
	}
	return f, nil
}

// specNotes returns a note for each part of the buildspec that has no effect here.
func specNotes(s *Buildspec) []string {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if s.RunAs != "" {
		note("run-as: commands run as you, not as %s", s.RunAs)
	}
	for _, p := range s.phases() {
		if p.RunAs != "" {
			note("phases.%s.run-as: commands run as you, not as %s", strings.ToLower(p.name), p.RunAs)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env.Variables)) {
		if strings.HasPrefix(name, "CODEBUILD_") {
			note("env.variables: CodeBuild reserves names like %s that start with CODEBUILD_, and does not document their effect", name)
		}
	}
	if s.Env.GitCredentialHelper {
		note("env.git-credential-helper: Git has no credentials here, except those of the machine's own configuration")
	}
	if len(s.Proxy) > 0 {
		note("proxy: no proxy server is used here")
	}
	if s.Batch != nil {
		note("batch: only one build runs here")
	}
	if len(s.Reports) > 0 {
		note("reports: these are not published here: %s", strings.Join(slices.Sorted(maps.Keys(s.Reports)), ", "))
	}
	if len(s.Cache.Paths) > 0 {
		note("cache: its paths are neither restored nor saved here")
	}
	for _, a := range s.artifacts() {
		if a.Type != "" {
			note("artifacts.type: CodeBuild ignores it")
		}
		if a.S3Prefix != "" {
			note("artifacts.s3-prefix: it has no effect in a pipeline")
		}
	}
	return notes
}

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func isName(s string) bool { return namePattern.MatchString(s) }

package buildspec

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// fakeDocker builds nothing; it notes the tags that it is asked to build and push.
func fakeDocker(c cloud, args []string) error {
	switch command := strings.Join(args[:min(2, len(args))], " "); {
	case command == "version":
		fmt.Fprintln(os.Stdout, "Client and Server") //nolint:errcheck // nobody reads it
		return nil
	case command == "image inspect":
		return dockerInspect(c, args[2:])
	case strings.HasPrefix(command, "login "):
		return dockerLogin(c, args[1:])
	case strings.HasPrefix(command, "build "):
		return dockerBuild(c, args[1:])
	case strings.HasPrefix(command, "push "):
		return dockerPush(c, args[1:])
	default:
		return exit{1, fmt.Sprintf("docker: %q is not a docker command", command)}
	}
}

func dockerLogin(c cloud, args []string) error {
	_, rest, err := parseOptions(args, map[string]int{"!--username": 1, "!--password-stdin": 0})
	if err != nil {
		return err
	}
	given, err := io.ReadAll(bufio.NewReader(os.Stdin))
	if err != nil {
		return err
	}
	if !slices.Equal(rest, []string{c.Registry}) {
		return exit{1, fmt.Sprintf("Error response from daemon: no such host: %q", rest)}
	}
	if string(bytes.TrimSuffix(given, []byte("\n"))) != password {
		return exit{1, "Error response from daemon: login attempt failed with status: 400 Bad Request"}
	}
	return c.note("logged-in", c.Registry)
}

func dockerBuild(c cloud, args []string) error {
	o, rest, err := parseOptions(args, map[string]int{"--pull": 0, "!--file": 1, "!--tag": 1})
	if err != nil {
		return err
	}
	if os.Getenv("DOCKER_BUILDKIT") != "1" {
		return exit{1, "BuildKit is off"}
	}
	if len(rest) != 1 {
		return exit{1, fmt.Sprintf("docker build requires 1 argument, got %q", rest)}
	}
	if _, err := os.Stat(o.get("--file")); err != nil {
		return exit{1, "ERROR: failed to read dockerfile: " + err.Error()}
	}
	entries, err := os.ReadDir(rest[0])
	if err != nil {
		return exit{1, "ERROR: " + err.Error()}
	}
	for _, e := range entries {
		if e.Name() == "deploy-artifact" {
			return exit{1, "the image would contain an artifact"}
		}
	}
	fmt.Fprintln(os.Stderr, "#1 building")
	return c.note("built", o.get("--tag"))
}

func dockerPush(c cloud, args []string) error {
	if len(args) != 1 || args[0] != c.noted("built") {
		return exit{1, fmt.Sprintf("An image does not exist locally with the tag: %q", args)}
	}
	repository, tag, _ := strings.Cut(args[0], ":")
	switch {
	case c.noted("logged-in") != strings.Split(repository, "/")[0]:
		return exit{1, "no basic auth credentials"}
	case slices.Contains(c.Tags, tag):
		return exit{1, "tag invalid: The image tag '" + tag + "' already exists and cannot be overwritten because the tag is immutable."}
	}
	fmt.Fprintln(os.Stdout, tag+": digest: "+digest+" size: 1234") //nolint:errcheck // nobody reads it
	return c.note("pushed", args[0])
}

func dockerInspect(c cloud, args []string) error {
	if len(args) != 1 || args[0] != c.noted("built") {
		return exit{1, "Error: No such image"}
	}
	digests := []string{}
	if image := c.noted("pushed"); image != "" {
		repository, _, _ := strings.Cut(image, ":")
		for _, d := range c.Digests {
			digests = append(digests, strings.ReplaceAll(d, "%s", repository))
		}
	}
	return printJSON([]any{map[string]any{"Id": "sha256:" + strings.Repeat("0", 64), "RepoDigests": digests}})
}

// digest is that of each pushed image.
const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// Package curated lists CodeBuild's own build images: their names, and the versions
// of Go, Node.js and other runtimes that a buildspec can select on each. It imports no
// other package of this project.
package curated

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Image describes one of CodeBuild's curated images for Linux containers: what
// runtime-versions can select on it, and what it has without a selection.
type Image struct {
	// Runtimes has the versions of each runtime, oldest first, by its name in
	// runtime-versions, such as "golang". It is nil if they are not known, as for a
	// single release of an image, "aws/codebuild/standard:7.0-25.03.03".
	Runtimes map[string][]string
	// Downloads says that CodeBuild downloads other versions, which are named in full,
	// in every build.
	Downloads bool
	// Go and Node are the versions that the image starts with, such as "1.20.14"; ""
	// if there is none, or it is not known.
	Go, Node string
}

// Prefix begins the names of CodeBuild's images.
const Prefix = "aws/codebuild/"

// Default is the maintained image that CodeBuild has had for the longest time. standard:8.0
// has nothing else that the recipe needs, and AWS does not list the regions that have it.
const Default = Prefix + "standard:7.0"

// Maintained returns the names of the images that CodeBuild maintains, the newest
// first. [Find] knows older ones, too.
func Maintained() []string {
	return []string{
		Prefix + "standard:8.0",
		Prefix + "standard:7.0",
		Prefix + "amazonlinux-x86_64-standard:6.0",
		Prefix + "amazonlinux-x86_64-standard:5.0",
		Prefix + "amazonlinux-aarch64-standard:4.0",
		Prefix + "amazonlinux-aarch64-standard:3.0",
	}
}

// images lists all images, by their names without the prefix.
//
// From https://github.com/aws/aws-codebuild-docker-images, commit
// 1590e48787084015430500926ea922130dbe9367 of 9 April 2026: each image's runtimes.yml
// says what can be selected (its "default" is what downloads), and its Dockerfile what
// the image starts with. The older names with amazonlinux2 are those of the CDK.
var images = []struct {
	names, runtimes string
	downloads       bool
	golang, nodejs  string
}{
	{
		names:     "standard:8.0",
		runtimes:  "dotnet 8.0 10.0; golang 1.24 1.25 1.26; java corretto8 corretto11 corretto17 corretto21 corretto25; nodejs 22 24; php 8.2 8.3 8.4 8.5; python 3.10 3.11 3.12 3.13 3.14; ruby 3.3 3.4 4.0; rust 1.93",
		downloads: true,
		golang:    "1.26.0", nodejs: "24.14.0",
	},
	{
		names:     "standard:7.0",
		runtimes:  "dotnet 6.0 8.0 10.0; golang 1.20 1.21 1.22 1.23 1.24 1.25 1.26; java corretto8 corretto11 corretto17 corretto21 corretto25; nodejs 18 20 22 24; php 8.2 8.3 8.4 8.5; python 3.9 3.10 3.11 3.12 3.13 3.14; ruby 3.1 3.2 3.3 3.4 4.0",
		downloads: true,
		golang:    "1.20.14", nodejs: "18.20.8",
	},
	{
		names:     "standard:6.0",
		runtimes:  "dotnet 6.0; golang 1.18; java corretto17; nodejs 16; php 8.1; python 3.10; ruby 3.1",
		downloads: true,
		golang:    "1.18.10", nodejs: "16.20.2",
	},
	{
		names:     "standard:5.0",
		runtimes:  "dotnet 3.1 5.0; golang 1.15 1.16; java corretto8 corretto11; nodejs 12 14; php 7.3 7.4 8.0; python 3.7 3.8 3.9; ruby 2.6 2.7",
		downloads: true,
		golang:    "1.15.15", nodejs: "14.21.3",
	},
	{
		names:     "amazonlinux-x86_64-standard:6.0",
		runtimes:  "dotnet 8.0 10.0; golang 1.24 1.25 1.26; java corretto8 corretto11 corretto17 corretto21 corretto25; nodejs 22 24; php 8.2 8.3 8.4 8.5; python 3.10 3.11 3.12 3.13 3.14; ruby 3.3 3.4 4.0; rust 1.93",
		downloads: true,
		golang:    "1.26.0", nodejs: "24.14.0",
	},
	{
		names:     "amazonlinux-x86_64-standard:5.0 amazonlinux2-x86_64-standard:5.0",
		runtimes:  "dotnet 6.0 8.0 10.0; golang 1.20 1.21 1.22 1.23 1.24 1.25 1.26; java corretto8 corretto11 corretto17 corretto21 corretto25; nodejs 18 20 22 24; php 8.2 8.3 8.4 8.5; python 3.9 3.10 3.11 3.12 3.13 3.14; ruby 3.1 3.2 3.3 3.4 4.0",
		downloads: true,
		golang:    "1.20.14", nodejs: "18.20.8",
	},
	{
		names:     "amazonlinux-x86_64-standard:4.0 amazonlinux2-x86_64-standard:4.0",
		runtimes:  "docker 20; dotnet 6.0; golang 1.18; java corretto17; nodejs 16; php 8.1; python 3.9; ruby 3.1",
		downloads: true,
		golang:    "1.18.10", nodejs: "16.20.1",
	},
	{
		names:    "amazonlinux-x86_64-standard:corretto11 amazonlinux2-x86_64-standard:corretto11",
		runtimes: "java corretto11",
	},
	{
		names:    "amazonlinux-x86_64-standard:corretto8 amazonlinux2-x86_64-standard:corretto8",
		runtimes: "java corretto8",
	},
	{
		names:     "amazonlinux-aarch64-standard:4.0",
		runtimes:  "docker 23; dotnet 8.0 10.0; golang 1.24 1.25 1.26; java corretto8 corretto11 corretto17 corretto21 corretto25; nodejs 22 24; php 8.2 8.3 8.4 8.5; python 3.10 3.11 3.12 3.13 3.14; ruby 3.3 3.4 4.0; rust 1.94",
		downloads: true,
		golang:    "1.26.1", nodejs: "24.14.0",
	},
	{
		names:     "amazonlinux-aarch64-standard:3.0 amazonlinux2-aarch64-standard:3.0",
		runtimes:  "docker 23; dotnet 6.0 8.0 10.0; golang 1.20 1.21 1.22 1.23 1.24 1.25 1.26; java corretto8 corretto11 corretto17 corretto21 corretto25; nodejs 18 20 22 24; php 8.1 8.2 8.3 8.4 8.5; python 3.9 3.10 3.11 3.12 3.13 3.14; ruby 3.1 3.2 3.3 3.4 4.0; rust 1.94",
		downloads: true,
		golang:    "1.20.14", nodejs: "18.20.8",
	},
	{
		names:     "amazonlinux-aarch64-standard:2.0 amazonlinux2-aarch64-standard:2.0",
		runtimes:  "docker 19; dotnet 3.1; golang 1.12 1.13 1.14; java corretto8 corretto11; nodejs 10 12; php 7.3 7.4; python 3.7 3.8 3.9; ruby 2.6 2.7",
		downloads: true,
		nodejs:    "12.22.2",
	},
	{
		names:    "standard:4.0",
		runtimes: "android 28 29; docker 18 19; dotnet 3.1; golang 1.12 1.13 1.14; java corretto8 corretto11; nodejs 10 12; php 7.3 7.4; python 3.7 3.8 3.9; ruby 2.6 2.7",
		golang:   "1.14.15", nodejs: "12.22.12",
	},
	{
		names:    "standard:3.0",
		runtimes: "android 28 29; docker 18; dotnet 3.0; golang 1.12 1.13; java openjdk8 openjdk11; nodejs 10 12; php 7.3; python 3.8 3.9; ruby 2.6",
		golang:   "1.13.15", nodejs: "12.16.1",
	},
	{
		names:    "standard:2.0",
		runtimes: "android 28 29; docker 18; dotnet 2.2; golang 1.12 1.13; java openjdk8 openjdk11; nodejs 8 10; php 7.3; python 3.7; ruby 2.6",
		golang:   "1.13.8", nodejs: "10.19.0",
	},
	{
		names:  "standard:1.0",
		golang: "1.13.8", nodejs: "10.19.0",
	},
	{
		names:    "amazonlinux2-x86_64-standard:3.0",
		runtimes: "android 28 29; docker 18 19; dotnet 3.1; golang 1.12 1.13 1.14; java corretto8 corretto11; nodejs 10 12; php 7.3 7.4; python 3.7 3.8 3.9; ruby 2.6 2.7",
		golang:   "1.14.15", nodejs: "12.22.12",
	},
	{
		names:    "amazonlinux2-x86_64-standard:2.0",
		runtimes: "android 28 29; docker 18; dotnet 3.0; golang 1.12 1.13; java corretto8 corretto11; nodejs 10 12; php 7.3; python 3.8 3.9; ruby 2.6",
		golang:   "1.13.15", nodejs: "12.16.1",
	},
	{
		names:    "amazonlinux2-x86_64-standard:1.0",
		runtimes: "android 28 29; docker 18; dotnet 2.2; golang 1.12 1.13; java corretto8 corretto11; nodejs 8 10; php 7.3; python 3.7; ruby 2.6",
		golang:   "1.13.8", nodejs: "10.19.0",
	},
	{
		names:    "amazonlinux2-aarch64-standard:1.0",
		runtimes: "docker 18 19; golang 1.12 1.13; java corretto8 corretto11; nodejs 8 10 12; php 7.3; python 3.7 3.8; ruby 2.6",
	},
}

// releasePattern matches what a release of an image adds to the image's name.
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html
var releasePattern = regexp.MustCompile(`-[0-9]+\.[0-9]+\.[0-9]+$`)

// Find finds an image by its name, such as "aws/codebuild/standard:7.0".
func Find(name string) (Image, bool) {
	short, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		return Image{}, false
	}
	release := releasePattern.MatchString(short)
	short = releasePattern.ReplaceAllString(short, "")
	for _, row := range images {
		if !slices.Contains(strings.Fields(row.names), short) {
			continue
		}
		if release {
			return Image{}, true
		}
		image := Image{Downloads: row.downloads, Go: row.golang, Node: row.nodejs}
		for entry := range strings.SplitSeq(row.runtimes, "; ") {
			if fields := strings.Fields(entry); len(fields) > 1 {
				if image.Runtimes == nil {
					image.Runtimes = map[string][]string{}
				}
				image.Runtimes[fields[0]] = fields[1:]
			}
		}
		return image, true
	}
	return Image{}, false
}

// Refuses returns why the image refuses a version of a runtime, in CodeBuild's words,
// or "" if it accepts it. It accepts a version that the image has, "latest", the newest
// of several ("22.x", "1.x", "corretto21.x") and, if it downloads, one that is more
// precise than the image's own ("22.12.0", "1.26.8").
//
// It is not verified what CodeBuild does with a version that is as precise as the
// image's own but missing, such as nodejs 14. Builds failed with this message before
// April 2024. Since then AWS's guide says that CodeBuild installs such a version, with
// 14 as its example. Refuses refuses it: an owner can write the full version, 14.21.3.
//
// https://docs.aws.amazon.com/codebuild/latest/userguide/runtime-versions.html
func (i Image) Refuses(runtime, version string) string {
	if i.Runtimes == nil {
		return ""
	}
	known, ok := i.Runtimes[runtime]
	if !ok {
		return fmt.Sprintf("Unknown runtime named '%s'. This build image has the following runtimes: %s",
			runtime, strings.Join(slices.Sorted(maps.Keys(i.Runtimes)), ", "))
	}
	if version == "latest" {
		return ""
	}
	line, newest := strings.CutSuffix(version, ".x")
	for _, has := range known {
		switch {
		case has == version, newest && (has == line || strings.HasPrefix(has, line+".")):
			return ""
		}
	}
	downloads := i.Downloads && runtime != "docker" && runtime != "android"
	if precise := strings.Count(version, ".") > strings.Count(known[0], "."); downloads && precise && fullPattern.MatchString(version) {
		return ""
	}
	return fmt.Sprintf("Unknown runtime version named '%s' of %s. This build image has the following versions: %s",
		version, runtime, strings.Join(known, ", "))
}

var fullPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+){1,2}$`)

// Starts returns the version of a runtime that the image has if runtime-versions
// selects none; "" if there is none, or it is not known.
func (i Image) Starts(runtime string) string {
	switch runtime {
	case "golang":
		return i.Go
	case "nodejs":
		return i.Node
	}
	return ""
}

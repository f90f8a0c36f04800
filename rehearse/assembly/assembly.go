// Package assembly reads a synthesised CDK cloud assembly (cdk.out) as CloudFormation does: its stacks,
// their resources with the intrinsic functions resolved, the policies of a role, and the asset of a function.
//
// The package never asks AWS. It invents the names and ARNs that CloudFormation would generate. An invented
// name has the form of a real one and is the same on every run. Whatever only AWS knows is an error that
// names it; the package never guesses.
//
// Conditions, macros and nested stacks are not supported, because the stacks of this project have none.
package assembly

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The types of artifacts that lead to stacks in a cloud assembly's manifest. The other types, such as asset
// manifests and the construct tree, hold no stack.
// https://github.com/aws/aws-cdk-cli/blob/main/packages/%40aws-cdk/cloud-assembly-schema/lib/cloud-assembly/schema.ts
const (
	stackArtifact  = "aws:cloudformation:stack"
	nestedAssembly = "cdk:cloud-assembly"
)

type manifest struct {
	Artifacts artifacts `json:"artifacts"`
}

type artifact struct {
	ID          string `json:"-"`
	Type        string `json:"type"`
	Environment string `json:"environment"`
	Properties  struct {
		TemplateFile  string `json:"templateFile"`
		StackName     string `json:"stackName"`
		DirectoryName string `json:"directoryName"`
	} `json:"properties"`
}

// artifacts lists the manifest's artifacts in the order of its JSON object, which is the order in which the
// app declares its stacks. A map would lose that order.
type artifacts []artifact

// UnmarshalJSON decodes an object whose keys are the artifacts' ids.
func (as *artifacts) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	open, err := dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return fmt.Errorf("artifacts: got %v, want an object", open)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		a := artifact{ID: key.(string)} // The keys of a JSON object are always strings.
		if err := dec.Decode(&a); err != nil {
			return fmt.Errorf("artifact %s: %w", a.ID, err)
		}
		*as = append(*as, a)
	}
	return nil
}

// Load reads every stack of the cloud assembly in dir, in the order of the manifest. It also reads the nested
// assemblies of stages. An assembly without stacks is an error, because there would be nothing to rehearse.
func Load(dir string) ([]*Template, error) {
	templates, err := load(dir)
	if err != nil {
		return nil, fmt.Errorf("load cloud assembly %s: %w", dir, err)
	}
	if len(templates) == 0 {
		return nil, fmt.Errorf("load cloud assembly %s: it has no stacks", dir)
	}
	for _, t := range templates {
		t.stacks = templates
	}
	return templates, nil
}

func load(dir string) ([]*Template, error) {
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (run `make synth` first)", err)
	}
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("decode manifest.json: %w", err)
	}
	var templates []*Template
	for _, a := range m.Artifacts {
		switch a.Type {
		case stackArtifact:
			t, err := LoadTemplate(filepath.Join(dir, a.Properties.TemplateFile))
			if err != nil {
				return nil, fmt.Errorf("stack %s: %w", a.ID, err)
			}
			t.Name = a.Properties.StackName
			if t.Name == "" {
				t.Name = a.ID
			}
			if err := t.setEnvironment(a.Environment); err != nil {
				return nil, fmt.Errorf("stack %s: %w", a.ID, err)
			}
			templates = append(templates, t)
		case nestedAssembly:
			nested, err := load(filepath.Join(dir, a.Properties.DirectoryName))
			if err != nil {
				return nil, fmt.Errorf("stage %s: %w", a.ID, err)
			}
			templates = append(templates, nested...)
		}
	}
	return templates, nil
}

// setEnvironment sets the account and the Region from the stack's environment in the manifest, which is
// aws://account/region. A stack that can be deployed anywhere has unknown-account or unknown-region there, and
// keeps the default.
func (t *Template) setEnvironment(environment string) error {
	rest, ok := strings.CutPrefix(environment, "aws://")
	account, region, slash := strings.Cut(rest, "/")
	if !ok || !slash {
		return fmt.Errorf("environment %q: want aws://account/region", environment)
	}
	if account != "unknown-account" {
		t.Account = account
	}
	if region != "unknown-region" {
		t.Region = region
	}
	return nil
}

package codebuild

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// grace is the time that processes have to end by themselves when the build is stopped.
const grace = 2 * time.Second

// mode says what a command leaves to the next one.
type mode int

const (
	isolated    mode = iota // Nothing, as in version 0.1.
	processEach             // The variables and the folder.
	oneProcess              // Everything.
)

// shell runs the commands of a build one after the other.
type shell struct {
	argv []string
	mode mode
	dir  string // the folder of the shell's own files
	src  string
	cwd  string   // the working directory of the next command
	out  *os.File // the output of all commands

	// keeper is the leader of the process group of all the build's processes. It outlives the commands, so that the system
	// does not reuse the group's id before the group is killed. When this process dies, the keeper kills the group.
	keeper *exec.Cmd
	alive  io.Closer

	one *process // the shell of oneProcess; nil before the first command
}

// process is the shell of oneProcess.
type process struct {
	todo   io.Writer     // receives a line for each script to run
	status *bufio.Reader // has a line with the exit status of each script
	files  []io.Closer
	ended  chan error // receives the error of the shell at its end
}

func startShell(dir, src string, argv []string, env map[string]string, out *os.File, m mode) (*shell, error) {
	s := &shell{argv: argv, mode: m, dir: dir, src: src, cwd: src, out: out}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(&text, "export %s=%s\n", name, quote(env[name]))
	}
	for _, name := range []string{"start.sh", "env.sh"} {
		if err := os.WriteFile(s.file(name), []byte(text.String()), 0o600); err != nil {
			return nil, err
		}
	}
	s.keeper = exec.Command("/bin/sh", "-c", "read -r line; kill -9 0") //nolint:noctx // close ends the keeper.
	s.keeper.Env, s.keeper.Dir = []string{}, "/"
	s.keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := s.keeper.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.alive = alive
	return s, s.keeper.Start()
}

func (s *shell) file(name string) string { return filepath.Join(s.dir, name) }

// close ends all processes of the build.
func (s *shell) close() {
	s.kill(syscall.SIGKILL)
	if s.one != nil {
		<-s.one.ended //nolint:errcheck // It was killed.
		s.one.close()
	}
	s.keeper.Wait() //nolint:errcheck // It was killed.
	s.alive.Close() //nolint:errcheck // Nothing was written.
}

func (s *shell) kill(signal syscall.Signal) {
	syscall.Kill(-s.keeper.Process.Pid, signal) //nolint:errcheck // The group may have ended.
}

func (s *shell) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.argv[0], append(s.argv[1:len(s.argv):len(s.argv)], args...)...) //nolint:noctx // killWhenDone ends the whole group.
	cmd.Dir = s.cwd
	// All variables come from the files. PWD keeps the symbolic links in the name of the folder.
	cmd.Env = []string{"PWD=" + s.cwd}
	cmd.Stdout, cmd.Stderr = s.out, s.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: s.keeper.Process.Pid}
	return cmd
}

// run runs a command. It returns the reason of a failure, such as "exit status 1", or "". The command ends when ctx is
// done.
func (s *shell) run(ctx context.Context, text string, succeeding bool) string {
	if ctx.Err() != nil {
		return context.Cause(ctx).Error()
	}
	succeeds := "0"
	if succeeding {
		succeeds = "1"
	}
	var err error
	if s.mode == oneProcess {
		err = s.tell(ctx, "CODEBUILD_BUILD_SUCCEEDING="+succeeds+"\n"+text+"\n")
	} else {
		err = s.start(ctx, text, succeeds)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// start runs a command in a shell of its own. The script has the lines that have been observed at CodeBuild: the command
// begins in line 4, programs see all variables, and a command that calls exit leaves nothing to the next one.
func (s *shell) start(ctx context.Context, text, succeeding string) error {
	save := ""
	if s.mode == processEach {
		save = "export -p >" + quote(s.file("env.new")) + "\npwd >" + quote(s.file("dir.txt")) + "\n"
	}
	script := "set -a\n. " + quote(s.file("env.sh")) + "\nCODEBUILD_BUILD_SUCCEEDING=" + succeeding + "\n" +
		text + "\nCODEBUILD_LAST_EXIT=$?\n" + save + "exit $CODEBUILD_LAST_EXIT\n"
	if err := os.WriteFile(s.file("script.sh"), []byte(script), 0o600); err != nil {
		return err
	}
	cmd := s.command(s.file("script.sh"))
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := s.killWhenDone(ctx)
	err := cmd.Wait()
	stop()
	if s.mode == processEach {
		return errors.Join(err, s.restore())
	}
	return err
}

// restore reads the variables and the folder that a command has left, if the command reached its end.
func (s *shell) restore() error {
	if err := os.Rename(s.file("env.new"), s.file("env.sh")); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	dir, err := os.ReadFile(s.file("dir.txt"))
	if err != nil {
		return err
	}
	if cwd := strings.TrimSuffix(string(dir), "\n"); cwd != "" {
		s.cwd = cwd
	}
	return nil
}

// killWhenDone ends the group when ctx is done: first with SIGTERM, and after grace with SIGKILL. The caller must call stop.
func (s *shell) killWhenDone(ctx context.Context) (stop func()) {
	ended, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		s.kill(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(grace):
			s.kill(syscall.SIGKILL)
		}
	}()
	return func() { close(ended); <-finished }
}

// tell runs a script in the shell of oneProcess.
func (s *shell) tell(ctx context.Context, text string) error {
	if s.one == nil {
		if err := s.startOne(); err != nil {
			return err
		}
	}
	if err := os.WriteFile(s.file("script.sh"), []byte(text), 0o600); err != nil {
		return err
	}
	stop := s.killWhenDone(ctx)
	defer stop()
	if _, err := io.WriteString(s.one.todo, "\n"); err != nil {
		return err
	}
	line, err := s.one.status.ReadString('\n')
	if err != nil {
		// The command has called exit. The next command gets a new shell.
		err := <-s.one.ended
		s.one.close()
		s.one = nil
		return err
	}
	if status, err := strconv.Atoi(strings.TrimSpace(line)); err != nil || status != 0 {
		return errors.Join(err, fmt.Errorf("exit status %d", status))
	}
	return nil
}

func (s *shell) startOne() error {
	driver := ". " + quote(s.file("start.sh")) + "\n" +
		"while IFS= read -r CODEBUILD_LAST_EXIT <&3; do\n" +
		"  . " + quote(s.file("script.sh")) + " 3<&- 4>&-\n" +
		"  CODEBUILD_LAST_EXIT=$?\n" +
		"  echo $CODEBUILD_LAST_EXIT >&4\n" +
		"done\n"
	if err := os.WriteFile(s.file("driver.sh"), []byte(driver), 0o600); err != nil {
		return err
	}
	todoR, todoW, err := os.Pipe()
	if err != nil {
		return err
	}
	statusR, statusW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, todoR.Close(), todoW.Close())
	}
	s.cwd = s.src
	cmd := s.command(s.file("driver.sh"))
	cmd.ExtraFiles = []*os.File{todoR, statusW}
	one := &process{todo: todoW, status: bufio.NewReader(statusR), files: []io.Closer{todoW, statusR}, ended: make(chan error, 1)}
	err = cmd.Start()
	todoR.Close()   //nolint:errcheck // The shell has its own copy.
	statusW.Close() //nolint:errcheck // The shell has its own copy.
	if err != nil {
		one.close()
		return err
	}
	go func() {
		err := cmd.Wait()
		// A subshell in the background can hold the pipe open, so there may be no end of file.
		statusR.SetReadDeadline(time.Now()) //nolint:errcheck // Pipes have deadlines.
		one.ended <- err
	}()
	s.one = one
	return nil
}

func (p *process) close() {
	for _, f := range p.files {
		f.Close() //nolint:errcheck // It is not used any more.
	}
}

// peek returns the values of variables for the next command and changes nothing. (With oneProcess the shell remembers that
// the last command succeeded.)
func (s *shell) peek(ctx context.Context, names []string) (map[string]string, error) {
	if s.mode == processEach {
		s.mode = isolated
		defer func() { s.mode = processEach }()
	}
	return s.values(ctx, names)
}

// values returns the values of variables that the commands have left. The result omits variables that are not set.
func (s *shell) values(ctx context.Context, names []string) (map[string]string, error) {
	values := make(map[string]string)
	if len(names) == 0 {
		return values, nil
	}
	var script strings.Builder
	for _, name := range names {
		if err := os.Remove(s.file("value " + name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		fmt.Fprintf(&script, "if [ -n \"${%s+x}\" ]; then printf '%%s' \"$%s\" >%s; fi\n", name, name, quote(s.file("value "+name)))
	}
	if reason := s.run(ctx, script.String(), true); reason != "" {
		return nil, errors.New(reason)
	}
	for _, name := range names {
		value, err := os.ReadFile(s.file("value " + name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		values[name] = string(value)
	}
	return values, nil
}

// evaluate expands text as a shell does within double quotes.
func (s *shell) evaluate(ctx context.Context, text string) (string, error) {
	file := s.file("evaluated")
	if reason := s.run(ctx, "printf '%s' \""+text+"\" >"+quote(file), true); reason != "" {
		return "", errors.New(reason)
	}
	value, err := os.ReadFile(file)
	return string(value), err
}

// quote returns s as one word of a shell script.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

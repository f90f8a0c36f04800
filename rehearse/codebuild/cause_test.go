package codebuild

import "testing"

func TestCause(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, output, want string }{
		{"a recipe's own word", "downloading\nERROR: cannot download x\n", "ERROR: cannot download x"},
		{"Hugo, and a recipe that sums up", "Start building sites\nERROR deprecated: x\nTotal in 6 ms\nError: error building site: no theme\nERROR: hugo failed; its messages are above\n",
			"Error: error building site: no theme\nERROR: hugo failed; its messages are above"},
		{"Hugo without a configuration", "Total in 2 ms\nERROR Unable to locate config file\nRun `hugo help new` for details.\nERROR: hugo failed\n", "ERROR Unable to locate config file\nERROR: hugo failed"},
		{"the last of several", "Error: one\nError: two\nat x.js:1\n", "Error: two"},
		{"trusted before what comes later", "Error: one\nerror TS2304: Cannot find name\n", "Error: one"},
		{"npm", "npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages with a lock file\nnpm error A complete log of this run can be found in:\nnpm error     /root/.npm/_logs/x.log\n", "npm error `npm ci` can only install packages with a lock file"},
		{"an older npm", "npm ERR! code 1\nnpm ERR! missing script: build\nnpm ERR! A complete log of this run can be found in:\n", "npm ERR! missing script: build"},
		{"Git", "Cloning\nfatal: repository not found\n", "fatal: repository not found"},
		{"colours", "\x1b[1;31mError:\x1b[0m no such file\r\n\n", "Error: no such file"},
		{"a word that only begins so", "Errors are fine\nsh: esbuild: not found\n", "sh: esbuild: not found"},
		{"nothing but the mark", "ERROR:\nlast\n", "last"},
		{"nothing", "\n \n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := cause(tc.output); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

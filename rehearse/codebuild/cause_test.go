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
		{"npm", "npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages with a lock file\nnpm error A complete log of this run can be found in:\nnpm error     /home/me/.npm/_logs/x.log\n", "npm error `npm ci` can only install packages with a lock file"},
		{"npm, with advice", "added 1 package\nnpm error code E404\nnpm error 404 Not Found - GET https://registry.example/x\nnpm error 404\nnpm error 404 Note that you can also install from a\nnpm error 404 tarball, folder, http url, or git url.\nnpm error A complete log of this run can be found in: x.log\nERROR: npm cannot install\n",
			"npm error 404 Not Found - GET https://registry.example/x\nERROR: npm cannot install"},
		{"npm, with its usage", "npm error code EUSAGE\nnpm error\nnpm error not in sync\nnpm error\nnpm error Usage:\nnpm error npm ci\nnpm error\nnpm error Run \"npm help ci\" for more info\n", "npm error not in sync"},
		{"the last of npm's errors", "npm error Missing script: \"css\"\ngoing on\nnpm error code ENOENT\nnpm error syscall open\nnpm error path /x/package.json\nnpm error enoent Could not read package.json\nnpm error enoent This is related to npm not being able to find a file.\n", "npm error enoent Could not read package.json"},
		{"pnpm", " ERR_PNPM_OUTDATED_LOCKFILE  Cannot install\n\nNote that this is true by default\nERROR: pnpm cannot install\n", "ERR_PNPM_OUTDATED_LOCKFILE  Cannot install\nERROR: pnpm cannot install"},
		{"Yarn", "➤ YN0028: │ The lockfile would have been modified\n➤ YN0000: └ Completed\n➤ YN0000: · Failed with errors in 0s 32ms\n", "➤ YN0028: │ The lockfile would have been modified"},
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

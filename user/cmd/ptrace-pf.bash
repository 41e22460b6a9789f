# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# bash completion for ptrace-pf. It needs nothing but bash.

# _ptrace_pf_options COMMAND - sets $flags, $valued: its options without and with a value
_ptrace_pf_options()
{
	local tracing_flags='-a --all-cpus -i --no-inherit -v --verbose --wait'
	local tracing_valued='-p --pid -t --tid -C --cpu -e --event --hook --comm --cgroup --addr
		--access --outcome --min-latency --vm --nr'

	flags='-h --help'
	valued=''
	case $1 in
	record)
		flags+=" $tracing_flags -g --call-graph --no-walks -q --quiet"
		valued="$tracing_valued -o --output -m --ring-size -z --compression-level --abi"
		;;
	live)
		flags+=" $tracing_flags -g --call-graph --no-walks --json"
		valued="$tracing_valued -m --ring-size --abi"
		;;
	top)
		flags+=" $tracing_flags -g --call-graph --no-walks -b --batch"
		valued="$tracing_valued -m --ring-size --abi -d --delay -n --iterations -s --sort
			--view --order --filter"
		;;
	stat)
		flags+=" $tracing_flags --per-vcpu --json --openmetrics"
		valued="$tracing_valued -o --output --every"
		;;
	report)
		flags+=' --json --csv --folded --children --no-inline'
		valued='-i --input --time -s --sort --limit --html -j --jobs --abi -g --call-graph'
		;;
	script)
		flags+=' --json --no-walks -g --call-graph'
		valued='-i --input --time --abi'
		;;
	export)
		valued='-i --input --time --perfetto --abi'
		;;
	diff)
		flags+=' --json --csv --beyond-noise'
		valued='-s --sort --limit --abi'
		;;
	doctor | vms)
		flags+=' --json'
		;;
	esac
}

# _ptrace_pf_is WORD LIST - is the word in the list?
_ptrace_pf_is()
{
	local word

	for word in $2; do
		[[ $word == "$1" ]] && return 0
	done
	return 1
}

_ptrace_pf_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# _ptrace_pf_list VALUES - one more value of a comma list
_ptrace_pf_list()
{
	local done=''

	[[ $cur == *,* ]] && done=${cur%,*},
	mapfile -t COMPREPLY < <(compgen -P "$done" -W "$1" -- "${cur##*,}")
	if [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${cur%:*}:"}")
	fi
	compopt -o nospace 2>/dev/null
}

_ptrace_pf_files()
{
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
	compopt -o filenames 2>/dev/null
}

# _ptrace_pf_add_files - offers files, too
_ptrace_pf_add_files()
{
	local files

	mapfile -t files < <(compgen -f -- "$cur")
	COMPREPLY+=("${files[@]}")
}

# _ptrace_pf_abi - the names that the program knows, and files
_ptrace_pf_abi()
{
	_ptrace_pf_words "$("${words[0]}" script --abi help 2>/dev/null) help"
	_ptrace_pf_add_files
}

# _ptrace_pf_comms - names of processes: those of others, too, which compgen -W would run as commands
_ptrace_pf_comms()
{
	local name

	while IFS= read -r name; do
		[[ $name != "$cur"* ]] || COMPREPLY+=("$(printf %q "$name")")
	done < <(cat /proc/[0-9]*/comm 2>/dev/null | sort -u)
}

# _ptrace_pf_value OPTION - what can follow it
_ptrace_pf_value()
{
	case $1 in
	--hook) _ptrace_pf_words 'auto fentry kprobe rawtp' ;;
	-e | --event) _ptrace_pf_list 'fault fault:u fault:k gup hypercall violation exit remap' ;;
	--access) _ptrace_pf_list 'read write exec' ;;
	--outcome)
		_ptrace_pf_list 'anon zero file major cow wp huge hugetlb swap migration numa uffd
			spurious retry fixup sigsegv sigbus oom unresolved'
		;;
	-s | --sort)
		_ptrace_pf_list 'comm pid tid cpu vma file symbol dso caller srcline access outcome
			level origin page event vm vcpu reason nr call what cause'
		;;
	-g | --call-graph) _ptrace_pf_words 'caller callee' ;;
	--view) _ptrace_pf_words 'process vma outcome vm latency address' ;;
	--order) _ptrace_pf_words 'rate total p50 p99 max keys' ;;
	-p | --pid | --vm) _ptrace_pf_list "$(cd /proc && printf '%s ' [0-9]*)" ;;
	--comm) _ptrace_pf_comms ;;
	--cgroup) _ptrace_pf_files -d ;;
	--abi) _ptrace_pf_abi ;;
	-i | --input | -o | --output | --perfetto | --html) _ptrace_pf_files -f ;;
	esac
}

# _ptrace_pf_join - sets $words: the words up to the cursor as the program will see them, for bash
# cuts at ":" and "=", too; $raw has their places in COMP_WORDS
_ptrace_pf_join()
{
	local i glue=''

	words=() raw=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		:)
			words[-1]+=:
			glue=1
			continue
			;;
		=)
			((i == COMP_CWORD)) || continue
			words+=('') raw+=("$i")
			;;
		*)
			if [[ $glue ]]; then
				words[-1]+=${COMP_WORDS[i]}
			else
				words+=("${COMP_WORDS[i]}") raw+=("$i")
			fi
			;;
		esac
		glue=''
	done
}

# _ptrace_pf_command - completes the command to be traced, or its arguments; 1: it is not there
_ptrace_pf_command()
{
	local at

	for ((at = 2; at < ${#words[@]}; at++)); do
		if [[ ${words[at]} == -- ]]; then
			((at++))
			break
		elif _ptrace_pf_is "${words[at]}" "$valued"; then
			((at++))
		elif [[ ${words[at]} && ${words[at]} != -* ]]; then
			break
		fi
	done
	((at < ${#words[@]})) || return 1
	if declare -F _command_offset >/dev/null; then
		_command_offset "${raw[at]}"
	elif ((at == ${#words[@]} - 1)); then
		_ptrace_pf_files -c
	else
		_ptrace_pf_files -f
	fi
	return 0
}

_ptrace_pf()
{
	local cur flags valued words raw

	COMPREPLY=()
	_ptrace_pf_join
	cur=${words[-1]}
	if ((${#words[@]} == 2)); then
		_ptrace_pf_words 'record live top stat report script diff export doctor vms help --help --version'
		return
	fi
	_ptrace_pf_options "${words[1]}"
	case ${words[1]} in
	record | live | top | stat) _ptrace_pf_command && return ;;
	esac
	if _ptrace_pf_is "${words[-2]}" "$valued"; then
		_ptrace_pf_value "${words[-2]}"
	else
		_ptrace_pf_words "$flags $valued"
		[[ ${words[1]} != diff ]] || _ptrace_pf_add_files
	fi
}

complete -F _ptrace_pf ptrace-pf

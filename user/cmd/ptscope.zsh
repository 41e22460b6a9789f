#compdef ptrace-pf ptremap
# SPDX-License-Identifier: GPL-2.0
# zsh completion for both programs. It knows nothing by itself: commands and options, with their
# words, are those of --help, values those that the program names when it refuses another one (and the
# widths of --mmio).

# _ptscope_values OPTION - sets reply: what the command at hand takes for it, if those are names
_ptscope_values()
{
	local said

	reply=()
	case $1 in
	--sort)
		said=$($tool report --help 2>/dev/null | tr -s '\n ' ' ')
		[[ $said == *'comma list of '*' (default'* ]] || return
		said=${${said#*comma list of }%% \(default*}
		;;
	--abi) said="$($tool script --abi help 2>/dev/null | tr '\n' ,) help" ;;
	--access | --cache | --call-graph | --event | --force-frame | --format | --hook | --order | \
		--outcome | --prot | --set | --clear | --view)
		said=$($tool $verb $1 '?' 2>&1 </dev/null)
		case $said in
		*' is not of the letters '*) said=${${said##* is not of the letters }/ and /, } ;;
		*' is not '(a list|one)' of '*) said=${said##* is not (a list|one) of } ;;
		*': not '*' or '*', or '*) said=${${${said##*: not }%%, or *}/ or /, } ;;
		*) return ;;
		esac
		;;
	*) return ;;
	esac
	[[ $said == *,* ]] || said=${said// /,}
	# "PK=N" is completed up to its number, "NAME (what it is)" without the words.
	reply=(${${${${(s:,:)said}## #}%% *}/%=N/=})
	[[ $verb == protect && $1 == --clear ]] && reply=(${reply%=})
}

# _ptscope_value OPTION - completes what follows it
_ptscope_value()
{
	local -a reply

	_ptscope_values $1
	if (($#reply)); then
		case $1 in
		--abi) compadd -a reply && _files ;;
		--call-graph | --format | --hook | --order | --prot | --view) compadd -a reply ;;
		*) _sequence compadd -a - reply ;;
		esac
		return
	fi
	case $1 in
	--pid | --vm | --into) _sequence _pids ;;
	--comm) compadd -- ${(fu)"$(cat /proc/[0-9]*/comm 2>/dev/null)"} ;;
	--cgroup) _files -/ ;;
	--mmio) [[ $2 == WIDTH ]] && compadd 1 2 4 8 || _message "$2" ;;
	--abi | --file | --html | --image | --input | --output | --perfetto) _files ;;
	*) _message "$2" ;;
	esac
}

# _ptscope_specs - sets specs: for _arguments, of the command's --help
_ptscope_specs()
{
	local line short long value text names

	for line in ${(f)"$($tool $verb --help 2>/dev/null)"}; do
		[[ $line =~ '^ {2,6}((-[A-Za-z0-9]), )?(--[a-z0-9-]+)( ([^ ]+))?( +(.*))?$' ]] || continue
		short=$match[2] long=$match[3] value=$match[5] text=$match[7]
		text=${${text//\\/\\\\}//(#m)[\]\[:]/\\$MATCH}
		names=($short $long)
		# What takes a value may be given again, as some may; it costs nothing where it may not.
		for short in $names; do
			if [[ $value ]]; then
				specs+=("*${short}[$text]:${value//:/\\:}: _ptscope_value $long ${(q)value}")
			else
				specs+=("($names)${short}[$text]")
			fi
		done
	done
}

_ptscope()
{
	local tool=$words[1] verb=$words[2] line
	local -a verbs specs
	local -a match
	setopt localoptions extendedglob

	if ((CURRENT == 2)); then
		for line in ${(f)"$($tool --help 2>/dev/null)"}; do
			[[ $line =~ '^  ([a-z]+) +(.*)$' ]] && verbs+=("$match[1]:$match[2]")
		done
		_describe command verbs
		compadd -- help --help --version
		return
	fi
	_ptscope_specs
	words=("$tool $verb" ${words[3,-1]})
	((CURRENT--))
	case $verb in
	record | live | top | stat) _arguments -S -A '-*' $specs '*::command: _normal' ;;
	*) _arguments -S $specs '*:file:_files' ;;
	esac
}

_ptscope "$@"

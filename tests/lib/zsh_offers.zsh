#!/usr/bin/zsh -f
# SPDX-License-Identifier: GPL-2.0
# What zsh's completion offers for each line of stdin, as "LINE<tab>WORD": a shell is typed into. The
# folder of the completion is the first argument.
zmodload zsh/zpty

folder=$(mktemp -d) || exit 1
trap 'rm -rf $folder' EXIT
cat >$folder/.zshrc <<END
fpath=(${(q)1} \$fpath)
END
cat >>$folder/.zshrc <<'END'
PROMPT=
autoload -Uz compinit && compinit -u -D
zstyle ':completion:*' list-prompt ''
setopt extendedglob nolistbeep nobeep
# Each word that is added is one that is offered.
compadd()
{
	local -a offered
	local option

	for option; do
		[[ $option == (-|--) ]] && break
		[[ $option == -[a-zA-Z]#[OAD]* ]] && { builtin compadd "$@"; return }
	done
	builtin compadd -O offered "$@"
	((${#offered})) && print -rl -- "OFFERED:"${^offered}
	builtin compadd "$@"
}
offer() { zle complete-word; print OFFERS-END; BUFFER= }
zle -C complete-word complete-word _main_complete
zle -N offer
bindkey '^I' offer
END
export ZDOTDIR=$folder TERM=dumb COLUMNS=200
zpty shell zsh -d -i
while IFS= read -r line; do
	zpty -w -n shell "$line"$'\t'
	zpty -r -m shell said '*OFFERS-END*' || exit 1
	print -r -- $said | tr -d '\r' | sed -n 's/.*OFFERED://p' | while IFS= read -r word; do
		print -r -- "$line"$'\t'"$word"
	done
done
zpty -d shell

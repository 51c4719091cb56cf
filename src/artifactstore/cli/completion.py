"""`artifactstore completion`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from artifactstore.cli import output
from artifactstore.cli.examples import examples


class Shell(StrEnum):
    """A shell that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


SCRIPTS = {
    # Readline takes `:` for the end of a word, so the line is handed over as it is, and what stands before the colon
    # is taken off the answers again.
    Shell.BASH: r"""
_artifactstore() {
    local line=${COMP_LINE:0:COMP_POINT} words word
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[-1]}
    local IFS=$'\n'
    COMPREPLY=($(env _ARTIFACTSTORE_COMPLETE=complete_bash COMP_WORDS="$line" COMP_CWORD=$((${#words[@]} - 1)) \
        "$1" 2>/dev/null))
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%:*}:"}")
    fi
}
complete -o default -F _artifactstore artifactstore
""",
    Shell.ZSH: r"""
#compdef artifactstore
_artifactstore() {
    eval "$(env _ARTIFACTSTORE_COMPLETE=complete_zsh _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \
        artifactstore 2>/dev/null)"
}
# Sourced it registers itself; found in $fpath it is the function's first call.
if [[ ${funcstack[1]} == _artifactstore ]]; then
    _artifactstore "$@"
else
    compdef _artifactstore artifactstore
fi
""",
    Shell.FISH: r"""
function __artifactstore
    env _ARTIFACTSTORE_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=$argv[1] \
        _TYPER_COMPLETE_ARGS=(commandline -cp) artifactstore 2>/dev/null
end
complete --command artifactstore --no-files --condition "__artifactstore is-args" \
    --arguments "(__artifactstore get-args)"
""",
}
"""Shell -> what it is to be told."""

Chosen = Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]


@examples(
    "completion bash > ~/.bash_completion.d/artifactstore",
    "completion zsh > ~/.zfunc/_artifactstore",
    "completion fish | source",
)
def completion(shell: Chosen) -> None:
    """Print what a shell needs to complete commands, options, repositories and tags.

    Repositories and tags come from the store that the command line names, if it answers within a second.
    """
    output.lines(SCRIPTS[shell].strip())

"""What each shell needs to know to complete `funasr`, and where it looks for it.

Every script asks the program itself: it sets VARIABLE, gives the words up to the cursor, and gets
lines `value<tab>what it means`. No line means: complete file names.
"""

VARIABLE = "_FUNASR_COMPLETE"
"""Environment variable with the shell's name: complete, do not run."""
WORD_VARIABLE = "_FUNASR_WORD"
"""The word at the cursor, where a shell cannot pass an empty argument (Windows PowerShell)."""

BASH = r"""# completion of funasr for bash
_funasr_completion() {
    local IFS=$'\n' line
    COMPREPLY=()
    while read -r line; do
        COMPREPLY+=("${line%%$'\t'*}")
    done < <(_FUNASR_COMPLETE=bash "$1" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o default -F _funasr_completion funasr funasr-cli
"""

ZSH = r"""#compdef funasr funasr-cli
# completion of funasr for zsh
_funasr_completion() {
    local line tab=$'\t'
    local -a found
    for line in "${(@f)$(_FUNASR_COMPLETE=zsh "${words[1]}" "${(@Q)words[2,CURRENT]}" \
            2>/dev/null)}"; do
        [[ -n $line ]] && found+=("${${line%%$tab*}//:/\\:}:${line#*$tab}")
    done
    if (( $#found )); then
        _describe -V funasr found
    else
        _files
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _funasr_completion funasr funasr-cli
"""

FISH = r"""# completion of funasr for fish
function __funasr_completion
    set -l words (commandline -opc) (commandline -ct)
    set -l found (_FUNASR_COMPLETE=fish $words[1] $words[2..-1] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c funasr -f -a '(__funasr_completion)'
complete -c funasr-cli -f -a '(__funasr_completion)'
"""

POWERSHELL = r"""# completion of funasr for PowerShell
Register-ArgumentCompleter -Native -CommandName funasr, funasr-cli -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    $encoding = [Console]::OutputEncoding
    try {
        [Console]::OutputEncoding = [System.Text.Encoding]::UTF8
        $env:_FUNASR_COMPLETE = 'powershell'
        $env:_FUNASR_WORD = $wordToComplete
        $program, $arguments = $words
        & $program @arguments 2>$null | ForEach-Object {
            $value, $meaning = $_ -split "`t", 2
            if (-not $meaning) { $meaning = $value }
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, 'ParameterValue', $meaning)
        }
    } finally {
        [Console]::OutputEncoding = $encoding
        Remove-Item Env:_FUNASR_COMPLETE, Env:_FUNASR_WORD -ErrorAction SilentlyContinue
    }
}
"""

SCRIPTS = {
    "bash": BASH,
    "zsh": ZSH,
    "fish": FISH,
    "powershell": POWERSHELL,
    "pwsh": POWERSHELL,
}

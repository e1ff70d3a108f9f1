# What zsh makes of a line and the tab key, on a terminal: zsh complete.zsh FOLDER-OF-COMPLETIONS LINE WANTED
# Waits until that shows WANTED.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=(${(q)1} \$fpath); autoload -U compinit; compinit -u -D; echo rea''dy"
zpty -r -m shell output '*ready*'
zpty -n -w shell "$2"$'\t'
zpty -r -m shell output "*$3*"

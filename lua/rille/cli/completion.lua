--- completion: prints what a shell needs to complete `rille` with Tab.

---@type rille.Command
return {
  summary = "print the completions for a shell",
  details = [[
bash:  rille completion bash > ~/.local/share/bash-completion/completions/rille
zsh:   rille completion zsh > some-folder-of-$fpath/_rille
fish:  rille completion fish > ~/.config/fish/completions/rille.fish]],
  arguments = { { "shell", "the shell", choices = { "bash", "zsh", "fish" } } },
  run = function(args, term)
    term:line(require "rille.cli.shells"[args.shell]())
  end,
}

# flat.awk - the same packages as awk sees them: one line a package (P), a relation (D) and a name that a package
# provides (V), tab between fields.
#
#   P name version architecture section maintainer source priority installed_kib bytes essential installed available
#     summary
#   D name version architecture kind position alternative target qualifier operator version
#   V name version architecture provided version
#
# The installed packages come first, then the available ones: awk -v first=STATUS -f flat.awk STATUS AVAILABLE
# A package is one name, version and architecture.  When it comes again it is no new line: that it is available, and its
# size as a download, are added to the line there is.  Empty means: not there; a source that is not named has the name
# of the package.
BEGIN {
  OFS = "\t"
  kinds = split("Pre-Depends Depends Recommends Suggests Enhances Breaks Conflicts Replaces", kind, " ")
}

function trim(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }

function relations(id, name, text,    groups, group, choices, choice, g, c, position, target, qualifier, op, version, part, at) {
  groups = split(text, group, ",")
  position = 0
  for (g = 1; g <= groups; g++) {
    if (trim(group[g]) == "") continue
    position++
    choices = split(group[g], choice, "|")
    for (c = 1; c <= choices; c++) {
      op = version = qualifier = ""
      target = trim(choice[c])
      if (match(target, /\(.*\)/)) {
        part = trim(substr(target, RSTART + 1, RLENGTH - 2))
        target = trim(substr(target, 1, RSTART - 1))
        match(part, /^[<>=]+/)
        op = substr(part, 1, RLENGTH)
        version = trim(substr(part, RLENGTH + 1))
      }
      if ((at = index(target, ":")) > 0) {
        qualifier = substr(target, at + 1)
        target = substr(target, 1, at - 1)
      }
      print "D", id, name, position, c, target, qualifier, op, version
    }
  }
}

function provides(id, text,    groups, group, g, target, version) {
  groups = split(text, group, ",")
  for (g = 1; g <= groups; g++) {
    target = trim(group[g])
    version = ""
    if (target == "") continue
    if (match(target, /\(.*\)/)) {
      version = substr(target, RSTART + 1, RLENGTH - 2)
      sub(/^[ \t=]+/, "", version)
      version = trim(version)
      target = trim(substr(target, 1, RSTART - 1))
    }
    sub(/:.*/, "", target)
    print "V", id, target, version
  }
}

function finish(    id, k, state, words) {
  if (!("Package" in field)) return
  id = field["Package"] "\t" field["Version"] "\t" field["Architecture"]
  if (!(id in seen)) {
    order[++packages] = id
    words = split(field["Status"], state, " ")
    if (field["Source"] == "") field["Source"] = field["Package"]
    sub(/ .*/, "", field["Source"])
    seen[id] = id OFS field["Section"] OFS field["Maintainer"] OFS field["Source"] OFS field["Priority"] \
      OFS field["Installed-Size"]
    flags[id] = (field["Essential"] == "yes" ? 1 : 0) OFS (state[words] == "installed" ? 1 : 0)
    summary[id] = field["Description"]
    for (k = 1; k <= kinds; k++) if (kind[k] in field) relations(id, kind[k], field[kind[k]])
    if ("Provides" in field) provides(id, field["Provides"])
  }
  if (file != first) {
    available[id] = 1
    bytes[id] = field["Size"]
  }
  split("", field)
}

FNR == 1 { finish(); file = FILENAME }
/^$/ { finish(); next }
/^[ \t]/ { next }                    # none of the fields above goes on in a second line; a description's does not matter
{
  at = index($0, ":")
  field[substr($0, 1, at - 1)] = trim(substr($0, at + 1))
}
END {
  finish()
  for (p = 1; p <= packages; p++) {
    id = order[p]
    print "P", seen[id], bytes[id], flags[id], (id in available ? 1 : 0), summary[id]
  }
}

--- inflect: names of classes and tables out of each other: UserProfile <-> user_profiles.
-- English by rules, which are data: the first pattern that fits a word says its other form.

local M = {}

-- The same in both numbers.
local UNCOUNTABLE = {}
for word in ([[aircraft audio bison chassis data deer equipment evidence feedback firmware fish furniture hardware
  information jeans knowledge luggage means metadata money moose music news offspring police rice salmon series sheep
  shrimp software species staff swine traffic trout weather wheat]]):gmatch "%a+" do
  UNCOUNTABLE[word] = true
end

-- Singular -> plural, where no rule leads.
local IRREGULAR = {
  person = "people", man = "men", woman = "women", child = "children", tooth = "teeth", foot = "feet",
  goose = "geese", mouse = "mice", louse = "lice", ox = "oxen", die = "dice", quiz = "quizzes", leaf = "leaves",
  loaf = "loaves", thief = "thieves", half = "halves", calf = "calves", elf = "elves", shelf = "shelves",
  self = "selves", wolf = "wolves", knife = "knives", life = "lives", wife = "wives", sheaf = "sheaves",
  datum = "data", medium = "media", bacterium = "bacteria", criterion = "criteria", phenomenon = "phenomena",
  stimulus = "stimuli", alumnus = "alumni", cactus = "cacti", fungus = "fungi", nucleus = "nuclei",
  radius = "radii", index = "indexes", vertex = "vertices", matrix = "matrices", appendix = "appendices",
  axis = "axes", testis = "testes", hero = "heroes", potato = "potatoes", tomato = "tomatoes", echo = "echoes",
  veto = "vetoes", torpedo = "torpedoes", cargo = "cargoes", bus = "buses", gas = "gases", lens = "lenses",
  canvas = "canvases", atlas = "atlases", alias = "aliases", bias = "biases", stomach = "stomachs",
  epoch = "epochs", monarch = "monarchs", patriarch = "patriarchs",
}

-- These take a plain -s, but from their plural a rule would take more than that.
for word in ([[base case cache cafe canoe cause clause cookie course database enterprise exercise expense foe
  franchise horse house lie license movie niche noise nurse phase phrase pie promise purchase purse release response
  shoe tie toe universe use verse warehouse zombie]]):gmatch "%a+" do
  IRREGULAR[word] = word .. "s"
end

local PLURAL = {
  { "([sx])is$", "%1es" },                          -- analysis, crisis
  { "([dnst])m[ae]n$", "%1men" },                   -- salesman, not human
  { "([^aeiou])y$", "%1ies" }, { "(qu)y$", "%1ies" },
  { "ss$", "sses" }, { "us$", "uses" },
  { "([sc]h)$", "%1es" }, { "x$", "xes" }, { "z$", "zes" },
  { "s$", "s" },
  { "$", "s" },
}

local SINGULAR = {
  { "(analy)ses$", "%1sis" }, { "(ba)ses$", "%1sis" }, { "(the)ses$", "%1sis" }, { "(cri)ses$", "%1sis" },
  { "(synop)ses$", "%1sis" }, { "(diagno)ses$", "%1sis" },
  { "([dnst])men$", "%1man" },
  { "([^aeiou])ies$", "%1y" }, { "(qu)ies$", "%1y" },
  { "sses$", "ss" }, { "uses$", "us" }, { "([sc]h)es$", "%1" }, { "xes$", "x" }, { "zzes$", "zz" },
  { "ss$", "ss" }, { "us$", "us" }, { "is$", "is" },
  { "s$", "" },
}

local SINGULAR_OF = {}
for singular, plural in pairs(IRREGULAR) do SINGULAR_OF[plural] = singular end

--- Change the last word of a snake_case name: first as a whole, then by its irregular ending, then by rule.
local function inflect(name, whole, done, rules)
  local head, word = name:match "^(.*_)(.-)$"
  if not head then head, word = "", name end
  if UNCOUNTABLE[word] or done[word] then return name end
  if whole[word] then return head .. whole[word] end
  for _, rule in ipairs(rules) do
    local changed, count = word:gsub(rule[1], rule[2], 1)
    if count > 0 then return head .. changed end
  end
  return name
end

--- The plural of a snake_case name; a plural that is irregular stays.
---@param name string
---@return string
function M.pluralize(name) return inflect(name, IRREGULAR, SINGULAR_OF, PLURAL) end

--- The singular of a snake_case name.
---@param name string
---@return string
function M.singularize(name) return inflect(name, SINGULAR_OF, IRREGULAR, SINGULAR) end

--- UserProfile -> user_profile, HTTPServer -> http_server.
---@param name string
---@return string
function M.underscore(name)
  return (name:gsub("(%u+)(%u%l)", "%1_%2"):gsub("([%l%d])(%u)", "%1_%2"):gsub("[%s%-]+", "_"):lower())
end

--- user_profile -> UserProfile.
---@param name string
---@return string
function M.camelize(name)
  return (name:gsub("[%s%-_]+(.)", string.upper):gsub("^%l", string.upper))
end

--- The table of a class: Category -> categories.
---@param class string
---@return string
function M.table_name(class) return M.pluralize(M.underscore(class)) end

--- The class of a table: user_profiles -> UserProfile.
---@param name string
---@return string
function M.class_name(name) return M.camelize(M.singularize(name)) end

return M

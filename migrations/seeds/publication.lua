--- publication: twenty small publishers with their people, posts, tags and comments; the same ones every time.
-- Nothing here depends on the clock or on math.random: whoever seeds twice gets equal rows, and specs may name them.

local ORGANIZATIONS, USERS, POSTS, COMMENTS = 20, 500, 3000, 10000
local TAGS_PER_ORGANIZATION = 8
local EPOCH = 1704067200        -- 2024-01-01T00:00:00Z
local DAY = 86400
local DAYS = 900                -- what is told here happens in these days from EPOCH on

local PLACES = {
  "Harbour", "Alder", "Northgate", "Millbrook", "Lantern", "Quarry", "Saltmarsh", "Ferry", "Juniper", "Cobble",
  "Kestrel", "Riverside", "Orchard", "Granite", "Meridian", "Foundry", "Beacon", "Thistle", "Tidewater", "Windmill",
}
local PAPERS = { "Gazette", "Review", "Courier", "Letters", "Observer" }
local LANGUAGES = { "en", "en", "en", "de", "fr" }
local FIRST_NAMES = {
  "Ada", "Alice", "Amir", "Ana", "Anouk", "Bela", "Bruno", "Carla", "Chidi", "Clara", "Dario", "Dmitri", "Édith",
  "Elena", "Emil", "Farah", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jana", "João", "Jonas", "Kaito",
  "Lena", "Leo", "Lucía", "Malik", "Mara", "Mateo", "Mina", "Nadia", "Nils", "Noor", "Olga", "Omar", "Paul", "Petra",
  "Rafael", "Rosa", "Samir", "Sofia", "Søren", "Tara", "Theo", "Uma", "Viktor", "Yuki",
}
local LAST_NAMES = {
  "Almeida", "Andersen", "Bauer", "Berg", "Castillo", "Chen", "Costa", "Dubois", "Eriksen", "Fischer", "García",
  "Haas", "Hoang", "Ito", "Jansen", "Kaya", "Keller", "Kowalski", "Laurent", "Lindqvist", "Marino", "Mensah",
  "Moreau", "Nakata", "Novak", "O'Brien", "Okafor", "Olsen", "Pereira", "Petrov", "Quinn", "Rossi", "Sato", "Schmidt",
  "Silva", "Tanaka", "Tóth", "Vargas", "Weber", "Zhang",
}
local SUBJECTS = {
  "Housing", "Transport", "Schools", "Food", "Music", "History", "Science", "Energy", "Weather", "Football", "Books",
  "Health",
}
local NOUNS = {
  "council", "harbour", "old mill", "night bus", "school library", "town orchestra", "market hall", "river path",
  "brewery", "allotment", "weather station", "cycle lane", "choir", "bakery", "community garden", "tram line",
  "power station", "football club", "observatory", "bookshop",
}
local ADJECTIVES = {
  "new", "quiet", "costly", "forgotten", "popular", "cautious", "unlikely", "patient", "small", "bold",
}
local VERBS = {
  "reopens", "divides", "surprises", "outlives", "rebuilds", "needs", "answers", "changes", "remembers", "welcomes",
}
local OBJECTS = {
  "its neighbours", "the budget", "a whole street", "the planners", "its critics", "the winter", "an old promise",
  "the morning trains", "its own rules", "the next generation",
}
local CIRCUMSTANCES = {
  "after ten years", "in a single weekend", "against all advice", "at last", "without a vote", "by a narrow margin",
  "for the third time", "with borrowed money", "before the rain", "and nobody noticed",
}
local OPINIONS = {
  "I walked past there yesterday and had no idea.", "Thank you for writing this down.",
  "The second paragraph leaves out who paid for it.", "My grandmother would have disagreed, loudly.",
  "Is there a map of the planned route?", "Good piece. The numbers deserve a closer look, though.",
  "This is 100% what we said at the meeting.", "Please write about the other side of the river, too.",
  "I would pay for more reporting like this.", "The date is wrong: it was a Tuesday.",
  "We tried that in our street; it took two years.", "Nobody asked the people who live there.",
}

--- A generator of its own (a 64-bit linear congruence, high bits used), so that no other random numbers are disturbed.
---@param state integer
---@return fun(from: integer, to: integer): integer  # both ends included
local function dice(state)
  return function(from, to)
    state = state * 6364136223846793005 + 1442695040888963407
    return from + (state >> 33) % (to - from + 1)
  end
end

local roll = dice(2024)

local function pick(list)
  return list[roll(1, #list)]
end

--- A number from 1 to n, small ones far more often: popularity, as it is.
local function skewed(n)
  return math.min(roll(1, n), roll(1, n), roll(1, n))
end

local function capital(text)
  return (text:gsub("^%l", string.upper))
end

local function sentence()
  return ("The %s %s %s %s %s."):format(pick(ADJECTIVES), pick(NOUNS), pick(VERBS), pick(OBJECTS), pick(CIRCUMSTANCES))
end

local function body()
  local paragraphs = {}
  for p = 1, roll(2, 5) do
    local sentences = {}
    for s = 1, roll(3, 6) do sentences[s] = sentence() end
    paragraphs[p] = table.concat(sentences, " ")
  end
  return table.concat(paragraphs, "\n\n")
end

--- Lower case ASCII with one `separator` for each run of anything else: slugs and the local part of addresses.
local function plain(text, separator)
  return (text:lower():gsub("[^a-z0-9]+", separator):gsub("^%p", ""))
end

local function organizations()
  local rows = {}
  for id = 1, ORGANIZATIONS do
    local name = ("The %s %s"):format(PLACES[id], PAPERS[(id - 1) % #PAPERS + 1])
    local made = EPOCH + id * DAY
    rows[id] = {
      id = id, name = name, slug = plain(name:sub(5), "-"), plan = pick { "free", "free", "team", "press" },
      settings = { language = pick(LANGUAGES), comments = { moderated = id % 3 == 0 } },
      created_at = made, updated_at = made,
    }
  end
  return rows
end

--- The first users of an organization run and write it, the others read: 1 owner, 2 editors, 5 authors in 25.
local function role_of(place)
  return place == 1 and "owner" or place <= 3 and "editor" or place <= 8 and "author" or "reader"
end

local function users()
  local rows = {}
  for id = 1, USERS do
    local org_id = (id - 1) % ORGANIZATIONS + 1
    local first, last = pick(FIRST_NAMES), pick(LAST_NAMES)
    local made = EPOCH + roll(30, 200) * DAY + roll(0, DAY - 1)
    rows[id] = {
      id = id, org_id = org_id, name = first .. " " .. last,
      email = plain(first .. " " .. last, ".") .. id .. "@example.org",
      role = role_of((id - 1) // ORGANIZATIONS + 1), active = roll(1, 20) > 1,
      bio = roll(1, 3) == 1 and ("Writes about the %s and the %s."):format(pick(NOUNS), pick(NOUNS)) or nil,
      last_seen_at = roll(1, 10) > 1 and made + roll(1, 600) * DAY or nil,
      created_at = made, updated_at = made,
    }
  end
  return rows
end

local function tags()
  local rows = {}
  for org_id = 1, ORGANIZATIONS do
    for n = 1, TAGS_PER_ORGANIZATION do
      local name = SUBJECTS[(org_id + n - 2) % #SUBJECTS + 1]
      rows[#rows + 1] = { id = #rows + 1, org_id = org_id, name = name, slug = name:lower() }
    end
  end
  return rows
end

--- A user of that organization who stands at `place` of it (see role_of and users).
local function member(org_id, place)
  return (place - 1) * ORGANIZATIONS + org_id
end

local function posts(languages)
  local rows = {}
  for id = 1, POSTS do
    local org_id = (id - 1) % ORGANIZATIONS + 1
    local title = capital(("%s %s %s %s"):format(pick(ADJECTIVES), pick(NOUNS), pick(VERBS), pick(OBJECTS)))
    local status = pick { "published", "published", "published", "published", "draft", "scheduled", "archived" }
    local made = EPOCH + roll(200, DAYS) * DAY + roll(0, DAY - 1)
    local gone = roll(1, 50) == 1
    rows[id] = {
      id = id, org_id = org_id, author_id = member(org_id, roll(1, 8)),
      title = title, slug = plain(title, "-") .. "-" .. id, body = body(), status = status,
      views = (status == "published" or status == "archived") and 40000 // skewed(2000) * roll(1, 9) or 0,
      price = roll(1, 8) == 1 and ("%d.%02d"):format(roll(0, 9), 10 * roll(1, 9)) or nil,
      meta = { language = languages[org_id], words = { opinion = roll(1, 4) == 1, minutes = roll(1, 12) } },
      published_at = status ~= "draft" and made + roll(1, 20) * DAY or nil,
      created_at = made, updated_at = made, deleted_at = gone and made + 30 * DAY or nil,
    }
  end
  return rows
end

local function post_tags()
  local rows = {}
  for post_id = 1, POSTS do
    local org_id = (post_id - 1) % ORGANIZATIONS + 1
    local first = roll(1, TAGS_PER_ORGANIZATION)
    for position = 1, roll(1, 3) do
      local n = (first + position - 2) % TAGS_PER_ORGANIZATION
      local tag_id = (org_id - 1) * TAGS_PER_ORGANIZATION + n + 1
      rows[#rows + 1] = { post_id = post_id, tag_id = tag_id, position = position }
    end
  end
  return rows
end

local function comments()
  local rows, latest = {}, {}
  for id = 1, COMMENTS do
    local post_id = skewed(POSTS)
    local org_id = (post_id - 1) % ORGANIZATIONS + 1
    local above = roll(1, 4) == 1 and latest[post_id] or nil
    local made = above and above.created_at + roll(60, 2 * DAY) or EPOCH + DAYS * DAY + roll(0, 60 * DAY)
    rows[id] = {
      id = id, org_id = org_id, post_id = post_id, parent_id = above and above.id,
      author_id = roll(1, 12) > 1 and member(org_id, roll(4, USERS // ORGANIZATIONS)) or nil,
      body = pick(OPINIONS) .. (roll(1, 3) == 1 and " " .. sentence() or ""),
      votes = 60 // skewed(60) - 2, approved = roll(1, 15) > 1,
      created_at = made, updated_at = made,
    }
    latest[post_id] = rows[id]
  end
  return rows
end

--- Fills empty tables; where there are organizations already nothing happens.
---@param rille table
return function(rille)
  local db = rille.db()
  local function model(name) return require("models." .. name) end
  if model "organization":exists() then return end

  roll = dice(2024)
  local publishers, languages = organizations(), {}
  for _, row in ipairs(publishers) do languages[row.id] = row.settings.language end
  --- Each row says whose it is: to write them for all publishers at once is said model by model.
  local function fill(name, rows)
    local class = model(name)
    class:without_tenant_scope(function() class:insert(rows) end)
  end
  db:transaction(function()
    model "organization":insert(publishers)
    fill("user", users())
    fill("tag", tags())
    fill("post", posts(languages))
    model "post_tag":insert(post_tags())
    fill("comment", comments())
  end)
end

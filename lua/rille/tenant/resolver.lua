--- tenant.resolver: which tenant a request is for, by its host, its path or a header.
-- It never guesses: a request that says no tenant, two different ones, or one in a form that is not the plain one is
-- nobody's.
local Error = require "rille.error"
local Lookup = require "rille.tenant.lookup"
local Tenant = require "rille.tenant"

local M = {}

local HOST_BYTES_MAX <const> = 253
local RESERVED <const> = { "www", "api", "admin", "app", "mail", "static", "assets" }
local OPTIONS <const> = { "subdomain", "path", "header", "trusted", "reserved" }
local REQUEST <const> = { "host", "path", "headers" }

---@class rille.TenantResolver
---@field private domain? string       "example.com": tenants are the names before it
---@field private before? string       what a path begins with before the slug
---@field private after? string        what stands right behind it
---@field private header? string       in small letters
---@field private reserved table<string, true>
local Resolver = {}
Resolver.__index = Resolver
Resolver.__name = "rille.TenantResolver"

-- -- what is said once ----------------------------------------------------------------------------------------------

local LABEL <const> = "^[a-z0-9]$"
local LABELS <const> = "^[a-z0-9][a-z0-9-]*[a-z0-9]$"

local function is_label(text) return #text <= 63 and (text:find(LABEL) or text:find(LABELS)) ~= nil end

local function is_domain(text)
  if type(text) ~= "string" or #text > HOST_BYTES_MAX or not text:find(".", 1, true) then return false end
  for label in (text .. "."):gmatch "([^.]*)%." do
    if not is_label(label) then return false end
  end
  return not text:find "^[%d.]+$"
end

--- A resolver: at least one of the ways must be said.
---@param options { subdomain: string?, path: string?, header: string?, trusted: boolean?, reserved: string[]? }
---  subdomain: the domain whose sub-domains are tenants; path: a pattern with {slug} as one whole part, "/org/{slug}";
---  header: the name of a header, which wants `trusted = true`, for whoever sends the request can write one; reserved:
---  names that are no tenants, www, api and their like when absent
---@return rille.TenantResolver
function M.new(options)
  if type(options) ~= "table" then Error.argument("resolver", "a table of options", options) end
  Error.options("resolver", options, OPTIONS)
  local self = setmetatable({ reserved = {} }, Resolver)
  if options.subdomain ~= nil then
    if not is_domain(options.subdomain) then
      Error.argument("resolver.subdomain", 'a domain in small letters, such as "example.com"', options.subdomain)
    end
    self.domain = options.subdomain
  end
  if options.path ~= nil then
    local before, after = tostring(options.path):match "^(/[^{}%%]*){slug}([^{}%%]*)$"
    if not before or before:sub(-1) ~= "/" or after ~= "" and after:sub(1, 1) ~= "/" then
      Error.argument("resolver.path", 'a path with {slug} as one of its parts: "/org/{slug}"', options.path)
    end
    self.before, self.after = before, after
  end
  if options.header ~= nil then
    if type(options.header) ~= "string" or not options.header:find "^[%w-]+$" then
      Error.argument("resolver.header", "the name of a header", options.header)
    elseif options.trusted ~= true then
      Error.argument("resolver.trusted", "true beside a header", options.trusted,
        "anybody can send a header: say trusted = true where something in front of the program sets or removes it")
    end
    self.header = options.header:lower()
  end
  if not (self.domain or self.before or self.header) then
    Error.argument("resolver", "one of subdomain, path and header", options)
  end
  local reserved = options.reserved == nil and RESERVED or options.reserved
  if type(reserved) ~= "table" then Error.argument("resolver.reserved", "a list of names", reserved) end
  for _, name in ipairs(reserved) do self.reserved[name] = true end
  return self
end

-- -- what a request says --------------------------------------------------------------------------------------------
-- Each way gives a slug; nil where the request says none by it; nil and why where it says one that cannot be.

--- The host without its port and the dot at its end, in small letters; nil for addresses and what is no name.
local function plain_host(host)
  if type(host) ~= "string" or #host > HOST_BYTES_MAX + #".:65535" then return nil end
  local name, port = host:match "^([^:]*):?(%d*)$"
  if not name or host:find ":$" or port ~= "" and (#port > 5 or tonumber(port) > 65535) then return nil end
  name = name:lower():gsub("%.$", "")
  return is_domain(name) and name or nil
end

local function by_host(self, host)
  if host == nil then return nil end
  local name = plain_host(host)
  if not name then return nil, "the host is no name of a domain" end
  if name == self.domain then return nil end
  local slug = name:sub(-#self.domain - 1) == "." .. self.domain and name:sub(1, -#self.domain - 2)
  if not slug then return nil, "the host is of another domain" end
  if slug:find(".", 1, true) then return nil, "the host has more than one name before the domain" end
  if self.reserved[slug] then return nil end
  return slug
end

--- Would another reader of the path see other parts than these?
local function is_ambiguous(path)
  if path:find "[\\%c]" or path:find("//", 1, true) then return true end
  for part in path:gsub("%%2[eE]", "."):gmatch "[^/]+" do
    if part == "." or part == ".." then return true end
  end
  return path:lower():find("%2f", 1, true) ~= nil or path:lower():find("%5c", 1, true) ~= nil
end

local function by_path(self, path)
  if path == nil then return nil end
  if type(path) ~= "string" then return nil, "the path is no text" end
  path = path:match "^[^?#]*"
  if is_ambiguous(path) then return nil, "the path is not the plain one" end
  if path:sub(1, #self.before) ~= self.before then return nil end
  local slug, rest = path:sub(#self.before + 1):match "^([^/]*)(.*)$"
  if self.after ~= "" and rest ~= self.after and rest:sub(1, #self.after + 1) ~= self.after .. "/" then return nil end
  if self.reserved[slug] then return nil, "the name in the path is reserved" end
  return slug
end

local function by_header(self, headers)
  if headers == nil then return nil end
  if type(headers) ~= "table" then return nil, "the headers are no table" end
  local found
  for name, value in next, headers do
    if type(name) == "string" and name:lower() == self.header then
      if found ~= nil then return nil, "the header comes twice" end
      found = value
    end
  end
  if found == nil then return nil end
  if type(found) ~= "string" then return nil, "the header is no text" end
  if self.reserved[found] then return nil, "the name in the header is reserved" end
  return found
end

local function unknown(why)
  return nil, Error.new("tenant_unknown", "the request is for no tenant: " .. why)
end

--- The tenant that a request is for.
---@param request { host: string?, path: string?, headers: table<string, string>? }
---@return rille.Tenant?
---@return rille.Error? err  tenant_required: it says none; tenant_unknown: there is no such one, or it cannot be told
function Resolver:resolve(request)
  if type(request) ~= "table" then Error.argument("resolve", "a table with host, path and headers", request) end
  Error.options("resolve", request, REQUEST)
  local slug
  for _, way in ipairs {
    { self.domain, by_host, request.host }, { self.before, by_path, request.path },
    { self.header, by_header, request.headers },
  } do
    if way[1] then
      local found, why = way[2](self, way[3])
      if why then return unknown(why) end
      if found ~= nil and slug ~= nil and found ~= slug then return unknown "it says two different ones" end
      slug = found or slug
    end
  end
  if slug == nil then
    return nil, Error.new("tenant_required", "the request says no tenant", {
      hint = self.domain and ("a host such as acme.%s says one"):format(self.domain) or nil,
    })
  end
  if not pcall(Tenant.slug, slug) then return unknown "its name is no slug" end
  return Error.expected("tenant_unknown", Lookup.find, slug)
end

return M

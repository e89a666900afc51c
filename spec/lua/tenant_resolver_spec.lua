--- tenant_resolver_spec: which tenant a request is for, and that none is guessed.
local world = require "spec.support.world"
local rille, refused = world.rille, world.refused

describe("a resolver of tenants", function()
  local resolver

  before_each(function()
    rille.configure { connections = { main = { database = ":memory:" } }, tenancy = { resolve = function(slug)
      return ({ acme = { id = 7 }, ["big-co"] = { id = 8 } })[slug]
    end } }
  end)
  after_each(function() rille.close() end)

  --- The id of the tenant, or the kind of the error.
  local function found(request)
    local tenant, e = resolver:resolve(request)
    if tenant then return tenant.id end
    assert.is_true(rille.is_error(e))
    return e.kind
  end

  it("reads the name before a domain", function()
    resolver = rille.tenant.resolver { subdomain = "example.com" }
    assert.same({ id = 7, slug = "acme" }, resolver:resolve { host = "acme.example.com" })
    for host, expected in pairs {
      ["acme.example.com:8080"] = 7, ["ACME.Example.COM"] = 7, ["acme.example.com."] = 7,
      ["big-co.example.com.:443"] = 8,
      ["example.com"] = "tenant_required", ["www.example.com"] = "tenant_required",
      ["api.example.com:80"] = "tenant_required", ["other.example.com"] = "tenant_unknown",
      ["a.acme.example.com"] = "tenant_unknown", ["acme.example.com.."] = "tenant_unknown",
      ["acme.example.com.evil.org"] = "tenant_unknown", ["acmeexample.com"] = "tenant_unknown",
      ["acme.example.com:"] = "tenant_unknown", ["acme.example.com:x"] = "tenant_unknown",
      ["acme.example.com:99999"] = "tenant_unknown", ["user@acme.example.com"] = "tenant_unknown",
      [".example.com"] = "tenant_unknown", ["-.example.com"] = "tenant_unknown", ["127.0.0.1"] = "tenant_unknown",
      ["[::1]:80"] = "tenant_unknown", ["::1"] = "tenant_unknown", ["localhost"] = "tenant_unknown",
      [""] = "tenant_unknown", ["acme.example.com/x"] = "tenant_unknown", ["acme%2eexample.com"] = "tenant_unknown",
      ["acme.example.com\0"] = "tenant_unknown", ["acm\u{435}.example.com"] = "tenant_unknown",
      [("a."):rep(200) .. "example.com"] = "tenant_unknown",
    } do
      assert.equal(expected, found { host = host }, host)
    end
    assert.equal("tenant_required", found {})
  end)

  it("reads a part of the path", function()
    resolver = rille.tenant.resolver { path = "/org/{slug}" }
    for path, expected in pairs {
      ["/org/acme"] = 7, ["/org/acme/"] = 7, ["/org/acme/posts/1"] = 7, ["/org/acme?x=/org/other"] = 7,
      ["/org/big-co#top"] = 8, ["/"] = "tenant_required", [""] = "tenant_required", ["/org"] = "tenant_required",
      ["/posts"] = "tenant_required", ["/x/org/acme"] = "tenant_required", ["/ORG/acme"] = "tenant_required",
      ["/org/"] = "tenant_unknown", ["/org/Acme"] = "tenant_unknown", ["/org/other"] = "tenant_unknown",
      ["/org/%61cme"] = "tenant_unknown", ["/org/acme%2fx"] = "tenant_unknown", ["/org/acme/%2E%2e/big-co"] =
        "tenant_unknown", ["/org/acme/../big-co"] = "tenant_unknown", ["/org//acme"] = "tenant_unknown",
      ["//org/acme"] = "tenant_unknown", ["/org/acme\\x"] = "tenant_unknown", ["/org/acme\0"] = "tenant_unknown",
      ["/org/www"] = "tenant_unknown", ["/org/acme x"] = "tenant_unknown",
    } do
      assert.equal(expected, found { path = path }, path)
    end
    resolver = rille.tenant.resolver { path = "/t/{slug}/app", reserved = {} }
    assert.same({ 7, 7, "tenant_required" }, { found { path = "/t/acme/app" }, found { path = "/t/acme/app/x" },
      found { path = "/t/acme/apple" } })
  end)

  it("reads a header only where it is trusted", function()
    refused("invalid_argument", rille.tenant.resolver, { header = "X-Tenant" })
    resolver = rille.tenant.resolver { header = "X-Tenant", trusted = true }
    assert.same({ 7, 7, "tenant_required", "tenant_unknown", "tenant_unknown", "tenant_unknown" }, {
      found { headers = { ["X-Tenant"] = "acme" } }, found { headers = { ["x-tenant"] = "acme" } },
      found { headers = { Host = "x" } }, found { headers = { ["x-tenant"] = "acme", ["X-Tenant"] = "big-co" } },
      found { headers = { ["x-tenant"] = "acme, big-co" } }, found { headers = { ["x-tenant"] = "www" } },
    })
    resolver = rille.tenant.resolver { subdomain = "example.com" }
    assert.equal("tenant_required", found { headers = { ["x-tenant"] = "acme" } })
  end)

  it("believes no request that says two different ones", function()
    resolver = rille.tenant.resolver { subdomain = "example.com", path = "/org/{slug}" }
    assert.same({ 7, 7, 7, "tenant_unknown", "tenant_unknown" }, {
      found { host = "acme.example.com", path = "/org/acme" }, found { host = "acme.example.com", path = "/" },
      found { host = "www.example.com", path = "/org/acme" },
      found { host = "acme.example.com", path = "/org/big-co" }, found { host = "evil.org", path = "/org/acme" },
    })
  end)

  it("wants to know how, and a whole request", function()
    for _, options in ipairs { {}, { subdomain = "example" }, { subdomain = "Example.com" }, { subdomain = "1.2.3.4" },
      { path = "/org" }, { path = "org/{slug}" }, { path = "/org-{slug}" }, { path = "/{slug}x" }, { path = 5 },
      { path = "/{slug}/{slug}" }, { header = "x y", trusted = true }, { subdomains = "example.com" },
      { subdomain = "example.com", reserved = "www" } } do
      refused("invalid_argument", rille.tenant.resolver, options)
    end
    resolver = rille.tenant.resolver { subdomain = "example.com" }
    refused("invalid_argument", resolver.resolve, resolver, { hosts = "x" })
    refused("invalid_argument", resolver.resolve, resolver, "acme.example.com")
  end)
end)

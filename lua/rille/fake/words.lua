--- fake.words: what made-up names and texts are put together from.

local M = {}

local function list(text)
  local words = {}
  for word in text:gmatch "%S+" do words[#words + 1] = word end
  return words
end

-- Some are not ASCII, for real names are not; `plain` writes them for addresses.
M.first_names = list [[Ada Agnes Alma Amara Amir Anders Anouk Bela Beatriz Boris Carmen Chidi Clara Dario Dilara Dmitri
  Édith Elias Emre Esther Farah Felix Fatima Gustav Hana Henrik Hugo Ida Ines Ivan Jamila João Jonas Kaito Kamala Lars
  Leila Lucía Malik Marek Mina Nadia Nils Noor Olga Omar Pablo Petra Priya Quentin Rafael Renée Rosa Samir Selma Sofia
  Søren Tariq Theo Uma Viktor Wanda Yuki Zoë]]

M.last_names = list [[Abel Adeyemi Almeida Andersen Aziz Bauer Berg Bianchi Castillo Chen Costa Demir Diallo Dubois
  Eriksen Farkas Fischer Fontaine García Grant Haddad Hoang Hughes Ito Ivanov Jansen Kaya Keller Khan Kowalski Larsen
  Laurent Lindqvist Mbeki Mendes Moreau Müller Nakata Nasser Novak Nowak Okafor Olsen Osei Park Pereira Petrov Quinn
  Rahman Rossi Sato Silva Singh Sørensen Suzuki Tanaka Tóth Vargas Vermeer Weber Wójcik Yilmaz Zapata Zhang]]

-- As many as a byte has values: one byte of a number that is drawn is one word.
M.words = list [[agree air amber ancient answer apple april arch around autumn away balance bank basket beacon bell
  better bird blue board boat book border both bread breeze bridge brook build button calm candle canvas careful
  castle cedar chair chance clear climb clock cloud coast coin cold copper cotton cover crane cross dance dawn desert
  door down early earth east easy echo edge ember empty engine evening every fabric fair feather fern final fire first
  flag flame float flour follow forest found fountain front gate gentle glass glow gold grain grass gravel great green
  ground grow harbour harvest hazel heavy high hill hollow house island ivory journey july kettle kind kitchen ladder
  lake lamp lantern large leaf ledger letter light linen little local map maple marble march market meadow measure
  mill mirror moment month morning mountain music narrow needle north oak ocean october often olive orchard owl page
  paint paper path patient pebble pencil people piece pine plain plan plant pond porch power present proud quick quiet
  rain read ribbon ridge ripe river road rock roof rope round safe sail salt sand school sea season seed seven shadow
  shallow shelf shine shore silver slate smooth snow soft sound south spark square stable stair stand star steady
  steam step stone story stream street summer sunday tailor tale tall thread thunder tide timber tower town trade
  trail tram travel tree valley vast velvet violet wagon walk watch water wave weather west wheel white whole wide
  willow wind window winter wise wonder wool word work world write yard year yellow young]]

-- Word -> the same at the beginning of a sentence.
M.capital = {}
for _, word in ipairs(M.words) do M.capital[word] = word:gsub("^%l", string.upper) end

-- Names that are kept free for ever (RFC 2606): nobody can have an address below them.
M.hosts = { "example.com", "example.org", "example.net" }

local LETTERS = {
  ["á"] = "a", ["ã"] = "a", ["é"] = "e", ["É"] = "e", ["ë"] = "e", ["í"] = "i", ["ó"] = "o", ["ø"] = "o", ["ü"] = "u",
}

-- Name -> the same in small ASCII letters.
M.plain = {}
for _, names in ipairs { M.first_names, M.last_names } do
  for _, name in ipairs(names) do M.plain[name] = name:gsub(utf8.charpattern, LETTERS):lower() end
end

return M

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

M.words = list [[about above account across after again against agree air all almost along always amber among ancient
  answer apple april arch around arrive autumn away balance bank basket beacon become before begin behind bell below
  beside better beyond bird blue board boat book border both bread breeze bridge bright bring broad brook build button
  calm candle canvas careful carry castle cedar chair chance change clear climb clock cloud coast coin cold common
  copper corner cotton country cover crane cross current daily dance dawn deep desert distant door doubt down draw dream
  drift early earth east easy echo edge eight ember empty engine enough evening every fabric fair far feather fern field
  final find fire first flag flame float flour follow forest found fountain four free fresh front garden gate gentle
  give glass glow gold grain grass gravel great green ground grow harbour harvest hazel hear heavy high hill hollow
  honest house hundred idea inner island ivory join journey july keep kettle kind kitchen know ladder lake lamp lantern
  large last late leaf learn ledger letter level light linen listen little local long lower map maple march marble
  market meadow measure meet mild mill mirror moment month morning mountain music narrow near needle never new night
  north notice number oak ocean october offer often old olive only open orchard order other outer over owl page paint
  paper path patient pebble pencil people piece pine place plain plan plant play point pond porch power present press
  proud quarter quick quiet rain rather reach read ready real reason red remain reply return ribbon ridge right ripe
  river road rock roof room rope round safe sail salt same sand scale school sea season second seed seldom send settle
  seven shadow shallow share sheet shelf shine shore short signal silver simple single slate slow small smooth snow
  soft sound south spark speak spring square stable stair stand star stay steady steam step still stone story stream
  street strong summer sunday table tailor tale tall teach thread three thunder tide timber today together tower town
  trade trail tram travel tree true turn twelve twenty under until upper useful valley vast velvet village violet visit
  voice wagon wait walk wall warm watch water wave weather west wheel while white whole wide willow wind window winter
  wise wonder wood wool word work world write yard year yellow young]]

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

local process = { stakes = { alice = 60, bob = 30, carol = 10, dave = 0 } }
local messages = {
  { from = "eve", action = "Propose", data = "Paint it blue", height = 1 },
  { from = "eve", action = "Propose", data = "", height = 1 },
  { from = "alice", action = "Vote", proposal = 1, side = "no", height = 2 },
  { from = "bob", action = "Vote", proposal = 1, side = "yes", height = 2 },
  { from = "dave", action = "Vote", proposal = 1, side = "yes", height = 3 },
  { from = "carol", action = "Vote", proposal = 2, side = "yes", height = 3 },
  { from = "carol", action = "Vote", proposal = 1, side = "maybe", height = 3 },
  { from = "alice", action = "Vote", proposal = 1, side = "yes", height = 4 },
  { from = "eve", action = "Result", proposal = 1, height = 4 },
  { from = "bob", action = "Propose", data = "Paint it red", height = 5 },
  { from = "carol", action = "Vote", proposal = 2, side = "yes", height = 6 },
  { from = "eve", action = "Tick", height = 11 },
  { from = "carol", action = "Vote", proposal = 1, side = "no", height = 12 },
  { from = "eve", action = "Tick", height = 15 },
  { from = "eve", action = "Result", proposal = 2, height = 16 },
  { from = "eve", action = "Veto", height = 17 },
}

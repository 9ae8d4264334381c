%% Luerl's times for the programs of `cargo xtask bench lua`, one line for each: name, milliseconds or `-`, result.
%%
%%   erl -noshell -pa EBIN -pa . -s luerl_bench main FOLDER LIMIT
%%
%% FOLDER holds NAME.lua and NAME.steps, how often its `step` is called. A program that takes longer than LIMIT milliseconds is
%% ended and has no time. Medians of three.
-module(luerl_bench).
-export([main/1]).

main([Folder, Limit]) ->
    Dir = atom_to_list(Folder),
    Files = lists:sort(filelib:wildcard("*.lua", Dir)),
    Most = list_to_integer(atom_to_list(Limit)),
    [io:format("~s~n", [measure(filename:join(Dir, filename:rootname(File)), Most)]) || File <- Files],
    halt(0).

measure(Path, Most) ->
    {ok, Text} = file:read_file(Path ++ ".lua"),
    {ok, Steps} = file:read_file(Path ++ ".steps"),
    Count = binary_to_integer(string:trim(Steps)),
    Rounds = rounds(3, Text, Count, Most),
    Said = case Rounds of
        [{_, Result} | _] when length(Rounds) =:= 3 ->
            {Time, _} = lists:nth(2, lists:sort(Rounds)),
            io_lib:format("~.3f ~ts", [Time / 1000, Result]);
        _ -> "-"
    end,
    [filename:basename(Path), " ", Said].

rounds(0, _, _, _) -> [];
rounds(Left, Text, Count, Most) ->
    Self = self(),
    {Pid, Monitor} = spawn_monitor(fun() ->
        State = luerl:init(),
        Self ! {self(), try timer:tc(fun() -> run(Text, Count, State) end) catch _:_ -> failed end}
    end),
    receive
        {Pid, failed} -> demonitor(Monitor, [flush]), [];
        {Pid, Round} -> demonitor(Monitor, [flush]), [Round | rounds(Left - 1, Text, Count, Most)];
        {'DOWN', Monitor, process, Pid, _} -> []
    after Most -> exit(Pid, kill), demonitor(Monitor, [flush]), []
    end.

run(Text, Count, State) ->
    {ok, Results, After} = luerl:do_dec(Text, State),
    steps(1, Count, said(Results), After).

steps(Number, Count, Said, _) when Number > Count -> Said;
steps(Number, Count, _, State) ->
    Chunk = iolist_to_binary(io_lib:format("return step(~b)", [Number])),
    try luerl:do_dec(Chunk, State) of
        {ok, Results, Next} -> steps(Number + 1, Count, said(Results), Next);
        {lua_error, _, _} -> steps(Number + 1, Count, "error", State)
    catch
        _:_ -> steps(Number + 1, Count, "error", State)
    end.

said([Value | _]) when is_integer(Value) -> integer_to_list(Value);
said([Value | _]) when is_binary(Value) -> "text";
said(_) -> "".

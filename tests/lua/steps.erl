%% What Luerl answers to messages, one call after the other on one state: writes each, with a line of -- after it.
%%
%%   erl -noshell -pa EBIN -pa . -s steps main PROGRAM COUNT ANSWERS
%%
%% PROGRAM defines step(n), which is called with 1 to COUNT. A call that fails leaves the state before it, as on a node.
-module(steps).
-export([main/1]).

main([Program, Count, Answers]) ->
    {ok, Bytes} = file:read_file(atom_to_list(Program)),
    {ok, _, State} = luerl:do_dec(Bytes, luerl:init()),
    {Lines, _} = lists:mapfoldl(fun step/2, State, lists:seq(1, list_to_integer(atom_to_list(Count)))),
    ok = file:write_file(atom_to_list(Answers), unicode:characters_to_binary(Lines)),
    halt(0).

step(Number, State) ->
    Chunk = iolist_to_binary(io_lib:format("return step(~b)", [Number])),
    try luerl:do_dec(Chunk, State) of
        {ok, Results, Next} -> {line("ok", Results), Next};
        {lua_error, Error, _} -> {line("lua_error", oracle:plain(Error)), State}
    catch
        Class:Reason -> {line(atom_to_list(Class), oracle:plain(Reason)), State}
    end.

line(Kind, Term) -> io_lib:format("~s ~0p~n--~n", [Kind, Term]).

%% Answers of Luerl: reads programs, prints one line for each.
%%
%%   erl -noshell -pa EBIN -pa . -s oracle main PROGRAMS ANSWERS
%%
%% PROGRAMS is a sequence of records, each the length of a program in bytes, a line feed, and the program.
%% ANSWERS gets one line for each: `ok [...]`, `lua_error ...`, `compile_error ...`, `error ...` (an Erlang exception
%% that no pcall catches), or `-` when the program did not end within its time and memory.
-module(oracle).
-export([main/1, plain/1]).

-define(MILLISECONDS, 4000).
-define(WORDS, 40000000).

main([In, Out]) ->
    {ok, Bytes} = file:read_file(atom_to_list(In)),
    State = luerl:init(),
    Sink = spawn(fun sink/0),
    Lines = [[answer(Program, State, Sink), $\n] || Program <- programs(Bytes)],
    ok = file:write_file(atom_to_list(Out), unicode:characters_to_binary(Lines)),
    halt(0).

programs(<<>>) -> [];
programs(Bytes) ->
    [Head, Rest] = binary:split(Bytes, <<"\n">>),
    Length = binary_to_integer(Head),
    <<Program:Length/binary, Further/binary>> = Rest,
    [Program | programs(Further)].

%% Each program runs in a process of its own, which the time or the heap may end.
answer(Program, State, Sink) ->
    Self = self(),
    Tag = make_ref(),
    Run = fun() -> group_leader(Sink, self()), Self ! {Tag, run(Program, State)} end,
    Heap = #{size => ?WORDS, kill => true, error_logger => false},
    {Pid, Monitor} = spawn_opt(Run, [monitor, {max_heap_size, Heap}]),
    receive
        {Tag, Text} -> demonitor(Monitor, [flush]), Text;
        {'DOWN', Monitor, process, Pid, _} -> "-"
    after ?MILLISECONDS ->
        exit(Pid, kill),
        demonitor(Monitor, [flush]),
        receive {Tag, _} -> "-" after 0 -> "-" end
    end.

run(Program, State) ->
    try luerl:do_dec(Program, State) of
        {ok, Results, _} -> text("ok", Results);
        {lua_error, Error, _} -> text("lua_error", Error);
        {error, Errors, _} -> text("compile_error", Errors)
    catch
        Class:Reason -> text(atom_to_list(Class), Reason)
    end.

%% `~0p`: terms in one line; lists and binaries of printable Latin-1 characters as texts.
text(Kind, Term) -> lists:flatten(io_lib:format("~s ~0p", [Kind, plain(Term)])).

%% What has no stable form of its own: functions, the environments they captured, and the state of the machine.
plain(Fun) when is_function(Fun) -> '#Fun<luerl>';
plain({funref, Index, _}) -> {funref, Index};
plain(Tuple) when is_tuple(Tuple), tuple_size(Tuple) > 8, element(1, Tuple) =:= luerl -> '#Luerl<state>';
plain(Tuple) when is_tuple(Tuple) -> list_to_tuple([plain(E) || E <- tuple_to_list(Tuple)]);
plain([Head | Tail]) -> [plain(Head) | plain(Tail)];
plain(Term) -> Term.

%% Takes what programs print, and what the compiler prints, and drops it.
sink() ->
    receive
        {io_request, From, As, _} -> From ! {io_reply, As, ok}, sink();
        _ -> sink()
    end.

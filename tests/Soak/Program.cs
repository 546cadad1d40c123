// What does scripts/soak.sh run? Arguments: minutes, a shape of Redis, how many programs, a seed, and which faults.
using System.Globalization;
using System.Runtime.InteropServices;
using KeyEvt.Soak;

const string Only = "--only=";
var shape = SoakShape.Names[0];
var seed = Environment.TickCount & int.MaxValue;
var members = 1;
var only = "";
if (args.Length is 0 or > 5 || !double.TryParse(args[0], CultureInfo.InvariantCulture, out var minutes) || minutes <= 0 || !args.Skip(1).All(IsTaken))
{
    Console.Error.WriteLine($"""
        usage: scripts/soak.sh MINUTES [{string.Join('|', SoakShape.Names)}] [PROGRAMSx] [SEED] [--only=TEXT]
          random faults while writers write, for so long; 3x: three programs as one group; --only: faults with this text in their names; prints what became of the writes every minute and at the end
          exit 0, or 1 when anything was lost outside a declared gap (or doubled with another id, out of order, not in the ledger), or Redis was kept from its clients
        """);
    return 2;
}

using var ending = new CancellationTokenSource();
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{shape}, {members} programs, seed {seed}"));
await using var stage = await SoakStage.SetAsync(shape, seed, members);
using var run = new SoakRun(stage, seed, only, TimeSpan.FromMinutes(minutes));
var failure = await run.RunAsync(ending.Token);
Console.WriteLine(failure is null ? "nothing lost outside a declared gap" : string.Create(CultureInfo.InvariantCulture, $"WRONG ({shape}, {members} programs, seed {seed}): {failure}"));
return failure is null ? 0 : 1;

bool IsTaken(string argument)
{
    if (int.TryParse(argument, CultureInfo.InvariantCulture, out var number)) seed = number;
    else if (SoakShape.Names.Contains(argument)) shape = argument;
    else if (argument is [>= '1' and <= '9', 'x']) members = argument[0] - '0';
    else if (argument.StartsWith(Only, StringComparison.Ordinal)) only = argument[Only.Length..];
    else return false;
    return true;
}

void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    ending.Cancel();
}

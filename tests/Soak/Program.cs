// What does scripts/soak.sh run? Arguments: minutes, and a seed.
using System.Globalization;
using System.Runtime.InteropServices;
using KeyEvt.Soak;

var minutes = 0.0;
var seed = Environment.TickCount & int.MaxValue;
if (args.Length is not (1 or 2) || !double.TryParse(args[0], CultureInfo.InvariantCulture, out minutes) || minutes <= 0
    || (args.Length == 2 && !int.TryParse(args[1], CultureInfo.InvariantCulture, out seed)))
{
    Console.Error.WriteLine("""
        usage: scripts/soak.sh MINUTES [SEED]
          random faults while writers write, for so long; prints what became of the writes every minute and at the end
          exit 0, or 1 when anything was lost outside a declared gap (or doubled with another id, out of order, not in the ledger)
        """);
    return 2;
}

using var ending = new CancellationTokenSource();
void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    ending.Cancel();
}
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
await using var stage = await SoakStage.SetAsync();
var failure = await new SoakRun(stage, seed, TimeSpan.FromMinutes(minutes)).RunAsync(ending.Token);
Console.WriteLine(failure is null ? "nothing lost outside a declared gap" : string.Create(CultureInfo.InvariantCulture, $"WRONG (seed {seed}): {failure}"));
return failure is null ? 0 : 1;

// What does scripts/up.sh run? Arguments: none, or --once.
using System.Runtime.InteropServices;
using KeyEvt.Demo;

if (args is not ([] or ["--once"]))
{
    Console.Error.WriteLine("""
        usage: scripts/up.sh [--once]
          (nothing)  runs KeyEvt and shows arriving events until Ctrl-C
          --once     makes 1,000 changes, waits for their events, prints what it saw; exit 0, or 1 with the reason
        KEYEVT_UPSTREAM and KEYEVT_AMQP name servers to use instead of private ones.
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
using var onHangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, End);

try
{
    await using var stage = await DemoStage.SetAsync(once: args.Length > 0, ending.Token);
    var failure = args.Length > 0 ? await OnceRun.RunAsync(stage, ending.Token) : await LiveRun.RunAsync(stage, ending.Token);
    failure ??= await stage.StopProgramAsync();
    if (failure is null) return 0;
    Console.Error.WriteLine(failure);
    return 1;
}
catch (OperationCanceledException) when (ending.IsCancellationRequested)
{
    Console.WriteLine("stopped");
    return args.Length > 0 ? 1 : 0;
}
catch (Exception e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

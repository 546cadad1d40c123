// What does scripts/mutate.sh run? Arguments: see MutationOptions.Usage. Exit 0 when there is a result, 1 when there is none, 2 for wrong arguments.
using System.Runtime.InteropServices;
using KeyEvt.Mutation;

if (MutationOptions.Parse(args) is not { Tests.Count: > 0 } options)
{
    Console.Error.WriteLine(MutationOptions.Usage);
    return 2;
}

using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
try
{
    await new MutationRun(Environment.CurrentDirectory, options, Console.Out).RunAsync();
    return 0;
}
catch (MutationException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}

static void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    Command.EndAll();
}

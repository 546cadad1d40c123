// What does a person see while the demo runs?
using System.Globalization;
using System.Text;

namespace KeyEvt.Demo;

/// <summary>Prints each arriving event until it is told to stop, or the program ends by itself.</summary>
internal static class LiveRun
{
    public static async Task<string?> RunAsync(DemoStage stage, CancellationToken cancellationToken)
    {
        await stage.ShowAsync(message => Console.WriteLine($"  {message.Database,3}  {message.Event,-16} {Printable(message.Key)}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""

            Try in another terminal:
              redis-cli -p {stage.Program.Port} SET hello world EX 2
              redis-cli -p {stage.Program.Port} key_evt_amqp.info
              redis-cli -p {stage.Program.Port} key_evt_amqp.help
            Ctrl-C ends it.

            arriving at RabbitMQ:
              db   event            key
            """));
        try
        {
            await stage.Program.Process.ExitAsync(Timeout.InfiniteTimeSpan).WaitAsync(cancellationToken);
            return $"keyevt ended by itself with {stage.Program.Process.ExitCode}:\n{stage.Program.Process.Tail(20)}";
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("stopping ...");
            return null;
        }
    }

    private static string Printable(string key)
    {
        var text = new StringBuilder();
        foreach (var character in key.Length > 200 ? key[..200] + "..." : key)
        {
            text.Append(character is >= ' ' and <= '~' ? character : $"\\x{(int)character:x2}");
        }

        return text.ToString();
    }
}

// Does the main job work here? 1,000 changes through the proxy, and all their events at the broker.
using System.Diagnostics;
using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.Demo;

/// <summary>Makes the changes, waits for the events, says what it saw; null, or the reason why it failed.</summary>
internal static class OnceRun
{
    private const int Changes = 1_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static async Task<string?> RunAsync(DemoStage stage, CancellationToken cancellationToken)
    {
        var keys = Enumerable.Range(0, Changes).Select(n => stage.Prefix + n.ToString(CultureInfo.InvariantCulture)).ToArray();
        var arrived = new List<string>();
        await stage.ShowAsync(message =>
        {
            lock (arrived) arrived.Add(message.Key);
        });

        var clock = Stopwatch.StartNew();
        await using var client = await stage.Program.ConnectAsync();
        var refused = await ChangeAsync(client, keys);
        var changed = clock.Elapsed;
        if (refused is not null) return $"Redis refused a change: {refused}";

        try
        {
            await Eventually.ValueAsync($"{Changes} events", () => Task.FromResult(Distinct(arrived)), count => count == Changes, Deadline).WaitAsync(cancellationToken);
        }
        catch (TimeoutException)
        {
            return $"{Distinct(arrived)} of {Changes} events arrived within {Deadline.TotalSeconds} s\n{await stage.Program.Cli.RunAsync("key_evt_amqp.info")}";
        }
        finally
        {
            await client.CallAsync(["UNLINK", .. keys]);
        }

        lock (arrived)
        {
            var doubled = arrived.Count - Changes;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""

                {Changes} changes through 127.0.0.1:{stage.Program.Port} in {changed.TotalMilliseconds:0} ms
                {arrived.Count} events at RabbitMQ after {clock.Elapsed.TotalMilliseconds:0} ms, {doubled} of them repeated, {(arrived.SequenceEqual(keys) ? "all in order" : "NOT in order")}
                """));
            return doubled == 0 && !arrived.SequenceEqual(keys) ? "the events came in another order than the changes" : null;
        }
    }

    private static async Task<string?> ChangeAsync(RespClient client, string[] keys)
    {
        await client.SendAsync(keys.SelectMany(key => RespClient.Command("SET", key, "changed", "EX", "300")).ToArray());
        string? refused = null;
        foreach (var _ in keys)
        {
            var reply = await client.ReadReplyAsync();
            if (reply.IsError) refused ??= reply.Text;
        }
        return refused;
    }

    private static int Distinct(List<string> arrived)
    {
        lock (arrived) return arrived.Distinct().Count();
    }
}

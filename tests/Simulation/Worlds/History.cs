using KeyEvt.Simulation.Clock;

namespace KeyEvt.Simulation.Worlds;

/// <summary>One seed from its beginning to its verdict: chaos, and then a calm in which everything must come to rest.</summary>
internal static class History
{
    /// <summary>How long everything may take to come to rest.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(8);

    /// <exception cref="SimulationFault">A promise is broken.</exception>
    public static async Task RunAsync(World world)
    {
        var chaos = new Chaos(world);
        await PassAsync(world, world.Shape.Chaos).ConfigureAwait(false);
        chaos.End();
        await PassAsync(world, ShortestRest).ConfigureAwait(false);
        for (var rested = TimeSpan.Zero; !IsAtRest(world); rested += TimeSpan.FromSeconds(1))
        {
            if (rested > Rest) throw new SimulationFault($"not at rest after {Rest.TotalSeconds} s of calm: {Unrest(world)}");

            await PassAsync(world, TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        }

        Judge(world);
        foreach (var member in world.Living) member.Kill();
    }

    private static async Task PassAsync(World world, TimeSpan time)
    {
        var until = world.Time.Now + time.Ticks;
        await PoolIdle.WaitAsync().ConfigureAwait(false);
        while (world.Time.TryNext(until))
        {
            await PoolIdle.WaitAsync().ConfigureAwait(false);
            world.Check();
        }
    }

    private static bool IsAtRest(World world)
    {
        world.NoteStanding();
        return world.Book.Lost.Count() <= world.Refused && world.Living.All(member => !member.IsEnding && world.IsSettled(member)) && world.Master.Data.Lists.Values.All(static list => list.Count == 0);
    }

    private static string Unrest(World world) => string.Join(
        "; ",
        [
            .. world.Book.Lost.Take(5).Select(write => $"{write.Key} at {TimeSpan.FromTicks(write.At).TotalMilliseconds:0.000} is lost"),
            $"{world.Book.Lost.Count()} lost, {world.Refused} counted as refused",
            .. world.Living.Where(member => !world.IsSettled(member)).Select(member => $"{member.Name} has {member.Engine.Ledger.Snapshot()}"),
            .. world.Master.Data.Lists.Where(static list => list.Value.Count > 0).Select(list => $"{list.Value.Count} in {list.Key}"),
        ]);

    private static void Judge(World world)
    {
        if (world.Told is { } told && world.Living.FirstOrDefault(member => !told(member.Engine.Control.Config)) is { } other)
        {
            throw new SimulationFault($"a command was told that its change is in force, and it is not at {other.Name}");
        }

        if (world.Book.Odd.FirstOrDefault() is { Write: { } write, Fault: var fault }) throw new SimulationFault($"{write.Key} {fault}");
    }
}

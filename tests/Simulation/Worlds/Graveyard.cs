using KeyEvt.Simulation.Clock;

namespace KeyEvt.Simulation.Worlds;

/// <summary>What becomes of worlds that are over? They are kept until no world runs, and only then left to the garbage collector, whose finalizers end loops of their programs.</summary>
internal sealed class Graveyard
{
    private const int Most = 20;

    private readonly List<World> _worlds = [];

    public async Task TakeAsync(World world)
    {
        _worlds.Add(world);
        if (_worlds.Count < Most) return;

        _worlds.Clear();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        await PoolIdle.WaitAsync().ConfigureAwait(false);
    }
}

using System.Globalization;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Group.Simulation;

/// <summary>
/// Do several programs share one stream without losing an event, whatever happens to them? GROUP_SEEDS sets the number of histories, GROUP_SEED the
/// first one.
/// </summary>
public sealed class GroupSimulationTests(ITestOutputHelper output)
{
    private const int Steps = 3000;

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : usual;

    [Fact]
    public void Nothing_is_lost_ids_are_equal_and_the_order_holds_in_random_histories()
    {
        var (first, count) = (Setting("GROUP_SEED", 1), Setting("GROUP_SEEDS", 200));
        int terms = 0, duplicates = 0, gaps = 0, delivered = 0;
        var tell = Environment.GetEnvironmentVariable("GROUP_STORY");
        for (var seed = first; seed < first + count; seed++)
        {
            var world = new SimulatedWorld(seed) { Story = tell is null ? null : [] };
            try
            {
                world.Run(Steps);
                world.Calm();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                if (tell is not null) File.WriteAllLines(tell, world.Story!);
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }

            if (tell is not null) File.WriteAllLines(tell, world.Story!);
            Assert.True(world.Lost() is [], $"seed {seed}: lost {string.Join(' ', world.Lost().Take(10))}");
            Assert.True(world.Inversions() == 0, $"seed {seed}: {world.Inversions()} first deliveries out of order");
            (terms, duplicates, gaps, delivered) = (terms + world.Terms, duplicates + world.Duplicates, gaps + world.GapCount, delivered + world.Delivered.Count);
        }

        output.WriteLine($"{count} histories, {terms} times in office, {delivered} deliveries, {duplicates} of them repeated, {gaps} gaps");
    }
}

using System.Diagnostics;
using System.Globalization;
using KeyEvt.Simulation.Clock;
using KeyEvt.Simulation.Worlds;

// Runs one seed after another. --seed FIRST --seeds COUNT, or --minutes MINUTES; --step N runs every Nth seed; --story FILE writes what happened in the last one.
// --miss N: the consumer does not get each Nth message, to see that it is noticed. --hash 1 prints for each seed what two runs of it must share.
// --skip A,B leaves seeds out; --only TEXT takes those whose world has this in its description, such as "HasAdministrator = True". Prints each failing seed; exit 1 if there is one.
await Task.Yield(); // from here on on the thread pool, whose one worker runs everything

PoolIdle.Demand();
var given = args.Chunk(2).ToDictionary(static pair => pair[0], static pair => pair[1]);
int Number(string name, int usual) => given.TryGetValue(name, out var text) ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : usual;
var (first, step) = (Number("--seed", 1), Number("--step", 1));
var count = Number("--seeds", given.ContainsKey("--minutes") ? int.MaxValue : 1);
var limit = TimeSpan.FromMinutes(Number("--minutes", 100_000));
var story = given.GetValueOrDefault("--story");
var most = Number("--failures", 1);
var skipped = given.TryGetValue("--skip", out var listed) ? listed.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static one => int.Parse(one, CultureInfo.InvariantCulture)).ToHashSet() : [];
var only = given.GetValueOrDefault("--only");

var graves = new Graveyard();
var (watch, failed, done) = (Stopwatch.StartNew(), 0, 0);
for (var seed = first; done < count && watch.Elapsed < limit && failed < most; seed += step)
{
    if (skipped.Contains(seed) || (only is not null && !WorldShape.Draw(new Random(seed)).ToString().Contains(only, StringComparison.Ordinal)))
    {
        continue;
    }

    var world = new World(seed, story is not null) { Misses = Number("--miss", 0) };
    try
    {
        await History.RunAsync(world);
        if (given.ContainsKey("--hash"))
        {
            Console.WriteLine($"seed {seed}: {world.Hash:x16} after {world.Time.Happened} steps, {world.Book.Writes.Count} writes, {world.Book.Received} messages, {world.Book.Gaps.Count} gaps, {world.Offices} times in office");
        }
    }
    catch (SimulationFault fault)
    {
        failed++;
        Console.WriteLine($"seed {seed}: {fault.Message}");
    }

    done++;
    await graves.TakeAsync(world);
    if (story is not null) File.WriteAllLines(story, world.Story);
}

Console.WriteLine($"{done} seeds, {failed} failed, {done / watch.Elapsed.TotalSeconds:0.0} a second");
return failed == 0 ? 0 : 1;

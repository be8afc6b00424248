using System.CommandLine;
using CmvcStream.Core.Media;
using CmvcStream.Receiver.Networks;
using CmvcStream.Simulate;

var source = new Argument<string>("FILE") { Description = "a video file" };
var rate = new Option<Bitrate>("--rate") { Description = "rate of the wire (8kbps)", CustomParser = r => Bitrate.Parse(r.Tokens[0].Value), DefaultValueFactory = _ => new(8000) };
var delay = new Option<double>("--delay") { Description = "one-way delay of the link in milliseconds (50)", DefaultValueFactory = _ => 50 };
var output = new Option<string?>("--out") { Description = "y4m file of what is shown, at the source's rate" };
var trace = new Option<string?>("--trace") { Description = "tab-separated table of the keyframes" };
var pairs = new Option<string?>("--pairs") { Description = "file of keyframes, decoded and true, for tools/training" };
var triples = new Option<string?>("--triples") { Description = "file of interpolated pictures and their truth, for tools/training" };
var network = new Option<string>("--network") { Description = "what restores keyframes, by name, as of receive (none)", DefaultValueFactory = _ => NetworkOptions.None };
var models = new Option<string?>("--models") { Description = "folder of a model pack (the built-in one)" };
var adapter = new Option<string?>("--adapter") { HelpName = "FILE|NAME", Description = "what makes it fit the camera, as of receive" };
var uniform = new Option<bool>("--uniform") { Description = "keyframes evenly spaced, whatever the content" };
var noMotion = new Option<bool>("--no-motion") { Description = "no motion is sent" };
var mendCost = new Option<int?>("--mend-cost") { Description = "instead: what a mended keyframe costs at this cq-level, 0 to 63, against an intra one" };
var root = new RootCommand("Sender, link and receiver in virtual time: what a clip looks like at a rate, without waiting for it and whatever else the machine does.")
    { source, rate, delay, output, trace, pairs, triples, network, models, adapter, uniform, noMotion, mendCost };
root.SetAction(async (parsed, stop) =>
{
    if (parsed.GetValue(mendCost) is { } quality)
    {
        Console.WriteLine(await MendCost.RunAsync(parsed.GetRequiredValue(source), quality, stop));
        return 0;
    }

    var options = new SimulationOptions(parsed.GetRequiredValue(source), parsed.GetValue(rate))
    {
        Delay = MediaTime.FromMilliseconds(parsed.GetValue(delay)),
        Out = parsed.GetValue(output),
        Trace = parsed.GetValue(trace),
        Pairs = parsed.GetValue(pairs),
        Triples = parsed.GetValue(triples),
        Networks = new() { Network = parsed.GetValue(network)!, Models = parsed.GetValue(models), Adapter = parsed.GetValue(adapter) },
        Uniform = parsed.GetValue(uniform),
        NoMotion = parsed.GetValue(noMotion),
    };
    Console.WriteLine(await Simulation.RunAsync(options, stop));
    return 0;
});
root.Subcommands.Add(LinkCommand.Build());
root.Subcommands.Add(PlotsCommand.Build());
root.Subcommands.Add(RandomLinks.Build());
return await root.Parse(args).InvokeAsync();

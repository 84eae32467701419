"""Names: for children, for animals and for the grown-ups who live near them."""

from __future__ import annotations


def _names(text: str) -> tuple[str, ...]:
    """Splits at white space; leaves out names in s, whose possessive reads badly."""
    return tuple(name for name in text.split() if not name.endswith("s"))


GIRLS = _names("""
Ada Adele Agnes Aisha Alba Alice Alma Amara Amelia Amina Amy Anna Anya Aria Asha Astrid Ava Bea Bella Beth Bianca
Bonnie Bridget Camila Carla Carmen Celia Chiara Chloe Clara Coco Cora Daisy Dalia Dana Daphne Dora Edith Elena Elise
Eliza Ella Elsa Emily Emma Erin Esme Esther Eva Evelyn Faith Farah Fatima Fern Fiona Flora Freya Gemma Gina Greta
Hana Hannah Hazel Heidi Helen Holly Ida Imani Ines Ingrid Irene Isla Ivy Jade Jane Jasmine Jenna Jill Joan Josie
Joy Julia June Kaia Karina Kate Katie Keiko Kira Laila Lara Laura Layla Leah Leila Lena Lila Lily Lina Linda Lola
Lotte Lucia Lucy Luna Mabel Maeve Maggie Mara Maria Marta Mary Matilda Maya Mei Mia Mila Mina Mira Molly Mona Nadia
Naomi Nell Nia Nina Noor Nora Olga Olive Olivia Paula Pearl Penny Petra Polly Poppy Priya Rana Rita Robin Rosa Rose
Rosie Ruby Ruth Sadie Sally Sana Sara Selma Sofia Sonia Sophie Stella Sue Suki Sunita Susan Talia Tamara Tara Tess
Tilda Tina Uma Vera Viola Wanda Wendy Willa Yara Yasmin Yuki Zara Zelda Zoe
""")

BOYS = _names("""
Aaron Abel Adam Ahmed Alan Albert Alex Alfie Ali Amir Andre Andrew Anton Archie Arlo Arthur Arun Asher Ben Benny
Bill Billy Bob Boris Brian Bruno Caleb Carl Carlo Charlie Colin Conor Daniel David Dev Diego Dylan Eddie Edgar Eli
Elio Elliot Emil Eric Ethan Evan Ezra Felix Finn Frank Fred Gabriel George Gino Gus Hamza Hank Harry Harvey Hasan
Hector Henry Hugh Hugo Ian Ibrahim Idris Igor Ilya Isaac Ivan Jack Jacob Jake Jamal Jan Jasper Jay Jim Jimmy Joe
Joel John Jonah Joseph Josh Juan Jude Kai Karim Keith Kenji Kevin Kofi Kurt Kwame Lars Leo Leon Levi Liam Logan
Louie Luca Luka Luke Malik Marco Mark Martin Mateo Matt Max Micah Miguel Milan Milo Mo Nathan Ned Neil Nico Noah
Nolan Oliver Omar Oscar Otto Owen Pablo Patrick Paul Pedro Peter Philip Pierre Quentin Quinn Rafael Rahul Rajan Ralph
Ravi Ray Remy Rico Robert Rohan Roman Rory Rowan Roy Ryan Sam Samir Samuel Sanjay Sasha Seth Simon Stanley Stefan
Sven Tariq Ted Teddy Theo Tim Timmy Tobias Toby Todd Tom Tommy Tony Tyler Victor Vikram Vincent Walter Will William
Xavier Yusuf Zach Zane Zeki
""")

ANIMALS_SHE = _names("""
Acorn Amber Apple Bluebell Blossom Bonny Bramble Breeze Bubbles Buttercup Button Caramel Cherry Cinnamon Clementine
Clover Cocoa Coral Cookie Cricket Crystal Dandelion Dapple Dewdrop Dot Dotty Dusty Feather Fluff Frosty Ginger Hattie
Honey Juniper Lavender Lilac Maple Marigold Meadow Minnie Minty Misty Mitzi Moonbeam Mopsy Muffin Nutmeg Opal Pansy
Patches Peach Pebble Peony Pepper Petal Petunia Pickle Pippa Plum Posy Primrose Pumpkin Puddle Queenie Rainy Ripple
Saffron Sandy Silky Skye Snowdrop Snowy Sorrel Speckle Star Sugar Sunny Sweetpea Tansy Tilly Tulip Twinkle Velvet
Violet Willow Wren
""")

ANIMALS_HE = _names("""
Ash Bandit Barley Basil Benji Biscuit Boots Bouncer Bracken Bravo Brook Bumble Buster Cedar Chestnut Chip Clyde
Cobble Comet Copper Cosmo Crumb Dash Digger Domino Drift Duncan Elmo Fergus Fidget Flint Flip Fuzzy Gizmo Grub Gusto
Hamish Hickory Hopper Humphrey Inky Jingle Jolly Jumbo Kipper Leaf Lucky Marble Mango Moss Mumble Murphy Nibbles
Nimble Nipper Noodle Oakley Oatie Otis Patch Peanut Pebbles Percy Pinecone Pip Pogo Quill Radish Rascal Reed Rocky
Rolo Rufus Rumble Russet Rusty Rye Scamper Scout Scruff Shadow Smudge Snuffles Spike Spruce Squeak Stormy Tadpole
Taffy Thistle Thunder Tiger Timber Toffee Truffle Tuck Tumble Turnip Twig Wags Waffle Wally Whiskers Wilbur Woody
Ziggy Zippy
""")

SURNAMES = _names("""
Abara Apple Archer Baker Banks Barley Bell Berry Bloom Brook Brown Chen Clay Cook Cooper Cruz Diaz Dove Field Finch
Fisher Flores Fox Garcia Gold Green Grove Hall Hart Hill Hopper Kaur Khan Kim King Lake Lane Lark Lee Lopez March
Marsh May Mills Moon Moss Nest Novak Oak Okoro Patel Pine Plum Pond Popov Potter Price Reed Rivers Rossi Sato Shah
Silva Singh Snow Stone Strand Tanaka Thorn Weaver Webb West White Winter Wood Woods Young
""")

AUNTS = _names("Ann Bella Carol Dora Ellen Fay Gloria Hilda Iris Jo Kay Lou May Nancy Pam Rena Sal Tess Vera Zita")
UNCLES = _names("Al Bert Chet Dan Ed Fritz Gil Hal Ike Jeff Ken Lee Moe Nat Ollie Pete Rob Stan Tobin Vic Walt Zed")
